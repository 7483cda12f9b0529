import type { Cloud } from "../core/cloud";
import type { Known } from "../rules/access";
import { namespaceKind } from "./namespaces";
import { projectKind } from "./projects";

/** The namespaces and projects that an access may refer to. */
export function known(cloud: Cloud): Known {
    return {
        namespace: (id) => cloud.of(namespaceKind).live(id) !== undefined,
        project: (id) => cloud.of(projectKind).live(id) !== undefined,
    };
}
