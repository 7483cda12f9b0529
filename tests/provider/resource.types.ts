// What must not compile; checked by the compiler alone.

import type * as pulumi from "@pulumi/pulumi";
import { text } from "../../provider/fields";
import { propertiesOf, Resource } from "../../provider/resource";

/** A class that lacks something, or has something beside its fields and outputs. */
export function mustNotCompile(): void {
    class Sample extends Resource {
        declare readonly name: pulumi.Output<string>;
        declare readonly state: pulumi.Output<string>;
    }
    const name = text();
    propertiesOf<Sample>()({ name }, ["state"]);
    // @ts-expect-error The class does not declare this field.
    propertiesOf<Sample>()({ name, other: name }, ["state"]);
    // @ts-expect-error The class does not declare this output.
    propertiesOf<Sample>()({ name }, ["state", "other"]);
    // @ts-expect-error `state` is neither a field nor an output.
    propertiesOf<Sample>()({ name }, []);
}
