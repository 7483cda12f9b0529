import {
    type Bag,
    choice,
    type Fields,
    flag,
    integer,
    list,
    map,
    number,
    object,
    set,
    shape,
    text,
    whole,
} from "../../provider/fields";

/** A field of each sort. */
export const fields: Fields = {
    name: text({
        required: true,
        replace: true,
        refuse: shape({ min: 2, max: 5, pattern: /^[a-z]+$/, is: "2 to 5 small letters" }),
    }),
    owner: text({ replace: true, isId: true }),
    days: integer({ min: 1, max: 90, reset: 30 }),
    ratio: number(),
    enabled: flag(),
    colour: choice(["red", "green"], { reset: "red" }),
    steps: list(text()),
    owners: set(text()),
    tags: map(text(), {
        key: shape({ max: 3, is: "at most 3 characters" }),
        refuse: (tags: Bag) => (Object.keys(tags).length > 2 ? "may have at most 2." : undefined),
    }),
    filters: set(whole({ left: text(), right: text() }, { refuse: () => undefined })),
    auth: object({
        certificate: text({ required: true, normalise: (value) => value.replace(/\s/g, "") }),
        strict: flag(),
        deeper: object({ word: text(), list: list(integer({ min: 0, max: 9 })) }),
    }),
    place: object({ region: text() }, { replace: true }),
    note: text({ programOnly: true }),
    project: text({ reset: undefined }),
    bag: { ...map(text()), satisfies: (live, value) => contains(live as Bag, value as Bag) },
};

const contains = (live: Bag, value: Bag) => Object.entries(value).every(([name, item]) => live[name] === item);
