// What the lifecycle suite has to know of a kind of resource. A kind joins with one table file and one line in index.ts.

import type * as pulumi from "@pulumi/pulumi";
import type { Emulator, Resources } from "../../../emulator";
import type { DeepPartial } from "../../../proto/generated/temporal/api/cloud/cloudservice/v1/service";

/** One field, taken from `from` to `to`, then drifted behind the back, then no longer set. */
export type FieldCase<Args, Live> = { [P in keyof Args & string]: OneField<P, Args, Live> }[keyof Args & string];

interface OneField<P extends keyof Args & string, Args, Live> {
    readonly property: P;
    /** Sets cases of one property apart: the member, for example `certificateFilters`. */
    readonly member?: string;
    readonly from: Args[P];
    readonly to: Args[P];
    /** What the program says when it no longer sets the field: other members of the same property. Default nothing. */
    readonly unset?: Args[P];
    /** Other arguments that this field needs beside it. */
    readonly beside?: Partial<Args>;
    /** The field as the server has it, in the words of the program. */
    see(live: Live): unknown;
    /**
     * What the server has where the program no longer sets it; "kept": what it set last; "logical name": that, which the
     * program then means by saying nothing; "required": it is always set.
     */
    readonly afterwards: { readonly value: unknown } | "kept" | "logical name" | "required";
    /** Somebody else changes it. */
    readonly drift: { change(live: Live): void; readonly value: unknown };
}

/** A change that only a replacement can make. */
export interface ReplacementCase<Args, Live> {
    readonly property: keyof Args & string;
    readonly from: Partial<Args>;
    readonly to: Partial<Args>;
    readonly first: "old" | "new";
    /** Somebody else changes it, where that is possible: only a replacement repairs it. */
    readonly drift?: { change(live: Live): void; readonly value: unknown };
}

/** The cases of one kind in one account. */
export interface Table<Args, Live> {
    /** The least that the program has to say, for a resource of this logical name. */
    base(name: string): Args;
    readonly fields: readonly FieldCase<Args, Live>[];
    /** None if every update of this kind is in place. */
    readonly replacements: readonly ReplacementCase<Args, Live>[];
    /** The field without which a resource can be made, and with which alone it can be adopted. */
    readonly optional: keyof Args & string;
    /** What somebody else made, and `base(name)` would describe. */
    existing(name: string): DeepPartial<Live>;
    /** Outputs of a resource made from `base(name)`, as far as they are known. */
    outputs(name: string): Record<string, unknown>;
}

interface Definition<Args extends object, Live extends object> {
    /** The kind's name, which its RPCs and its type token have in them. */
    readonly kind: string;
    /** Whether a name is unique in the account, so that `adopt: true` can find what exists. */
    readonly hasNaturalKey: boolean;
    /** Whether the server refuses a second one of the same name. */
    readonly refusesDuplicates: boolean;
    make(name: string, args: Args & { adopt?: boolean }, opts?: pulumi.CustomResourceOptions): pulumi.CustomResource;
    get(name: string, id: string): pulumi.CustomResource;
    resources(emulator: Emulator): Pick<Resources<never>, "remove"> & LiveResources<Live>;
    idOf(live: Live): string;
    /** Prepares the account, and describes the cases. */
    table(emulator: Emulator): Table<Args, Live>;
}

interface LiveResources<Live> {
    list(): Live[];
    get(id: string): Live | undefined;
    change(id: string, change: (live: Live) => void): void;
    add(resource: DeepPartial<Live>): Live;
}

/** A field's case, for a suite that does not know the kind. */
export interface Field {
    /** `mtlsAuth.certificateFilters` */
    readonly label: string;
    readonly property: string;
    /** The logical name of the resource that is taken through the case. */
    readonly name: string;
    readonly args: { readonly from: object; readonly to: object; readonly unset: object };
    readonly values: { readonly from: unknown; readonly to: unknown; readonly unset: unknown; readonly drift: unknown };
    readonly required: boolean;
    /** Whether the field is the server's own business when the program does not set it. */
    readonly canBeUnmanaged: boolean;
    see(id: string): unknown;
    drift(id: string): void;
}

export interface Replacement {
    readonly property: string;
    readonly name: string;
    readonly args: { readonly from: object; readonly to: object };
    readonly first: "old" | "new";
    readonly drift: { readonly value: unknown; apply(id: string): void } | undefined;
}

/** A kind with its cases, in one account. */
export interface Cases {
    readonly fields: readonly Field[];
    readonly replacements: readonly Replacement[];
    readonly optional: Field;
    base(name: string): object;
    outputs(name: string): Record<string, unknown>;
    make(name: string, args: object, opts?: pulumi.CustomResourceOptions): pulumi.CustomResource;
    get(name: string, id: string): pulumi.CustomResource;
    /** Makes, behind the back, what `base(name)` would describe. Returns its id. */
    addExisting(name: string): string;
    remove(id: string): void;
    /** A copy of the resource. */
    live(id: string): object | undefined;
    ids(): string[];
}

export interface Kind {
    readonly kind: string;
    readonly hasNaturalKey: boolean;
    readonly refusesDuplicates: boolean;
    cases(emulator: Emulator): Cases;
}

/** Takes the types off a kind's table. */
export function defineKind<Args extends object, Live extends object>(definition: Definition<Args, Live>): Kind {
    const { kind, hasNaturalKey, refusesDuplicates } = definition;
    return {
        kind,
        hasNaturalKey,
        refusesDuplicates,
        cases(emulator) {
            const table = definition.table(emulator);
            const resources = definition.resources(emulator);
            const live = (id: string): Live => {
                const found = resources.get(id);
                if (found === undefined) {
                    throw new Error(`there is no ${kind} ${id}`);
                }
                return found;
            };
            const fields = table.fields.map((field) =>
                erase(field, table, live, (id, change) => resources.change(id, change)),
            );
            const optional = fields.find(({ label }) => label === table.optional);
            if (optional === undefined) {
                throw new Error(`there is no field ${table.optional}`);
            }
            return {
                fields,
                optional,
                replacements: table.replacements.map(({ property, from, to, first, drift }, index) => {
                    const name = slug("replace", String(index), property);
                    const base = table.base(name);
                    return {
                        property,
                        name,
                        first,
                        args: { from: { ...base, ...from }, to: { ...base, ...to } },
                        drift: drift && {
                            value: drift.value,
                            apply: (id) => resources.change(id, (resource) => drift.change(resource)),
                        },
                    };
                }),
                base: (name) => table.base(name),
                outputs: (name) => table.outputs(name),
                make: (name, args, opts) => definition.make(name, args as Args, opts),
                get: (name, id) => definition.get(name, id),
                addExisting: (name) => definition.idOf(resources.add(table.existing(name))),
                remove: (id) => resources.remove(id),
                live: (id) => structuredClone(resources.get(id)),
                ids: () => resources.list().map((resource) => definition.idOf(resource)),
            };
        },
    };
}

function erase<Args extends object, Live extends object>(
    field: FieldCase<Args, Live>,
    table: Table<Args, Live>,
    live: (id: string) => Live,
    change: (id: string, change: (live: Live) => void) => void,
): Field {
    const { property, member = "", from, to, unset, beside, afterwards, drift } = field;
    const name = slug(property, member);
    const base = { ...table.base(name), ...beside };
    const { [property]: _, ...without } = base;
    return {
        label: member === "" ? property : `${property}.${member}`,
        property,
        name,
        args: {
            from: { ...base, [property]: from },
            to: { ...base, [property]: to },
            unset: unset === undefined ? without : { ...base, [property]: unset },
        },
        values: {
            from: part(from, member),
            to: part(to, member),
            unset:
                typeof afterwards === "object"
                    ? afterwards.value
                    : afterwards === "logical name"
                      ? name
                      : part(to, member),
            drift: drift.value,
        },
        required: afterwards === "required",
        canBeUnmanaged: afterwards !== "required" && afterwards !== "logical name",
        see: (id) => field.see(live(id)),
        drift: (id) => change(id, (resource) => drift.change(resource)),
    };
}

function part(value: unknown, member: string): unknown {
    return member === "" ? value : (value as Record<string, unknown>)[member];
}

/** A logical name that is a good name for every kind. */
function slug(...parts: string[]): string {
    return parts
        .filter((text) => text !== "")
        .join("-")
        .toLowerCase()
        .slice(0, 39);
}
