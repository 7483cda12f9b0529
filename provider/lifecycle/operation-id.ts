import { readFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { v5 as uuidv5 } from "uuid";
import type * as yaml from "yaml";

/** The UUID namespace of this provider's operation ids; it never changes. */
const NAMESPACE = "6f0b7c1e-52a3-5d0f-9a54-7a1c4e8b2d90";

/** What identifies a create from one run of the program to the next. */
export interface Origin {
    readonly organization: string;
    /** Contains the project, the stack and the logical name. */
    readonly urn: string;
    readonly naturalKey: string;
    /** `temporalcloud:operationSalt`. */
    readonly salt: string;
    /** Where the state is kept. */
    readonly backend: string;
    /** How often the resource has been replaced. */
    readonly generation: number;
}

/**
 * The operation id of a create: the same whenever the same program of the same stack creates the same resource, so that
 * the next run resumes one that was killed. `attempt` counts the lives of the resource: after a delete, the ids of its
 * earlier lives are used up.
 */
export function createOperationId(origin: Origin, attempt: number): string {
    const { organization, urn, naturalKey, salt, backend, generation } = origin;
    return uuidv5(JSON.stringify([organization, urn, naturalKey, salt, backend, generation, attempt]), NAMESPACE);
}

/** The operation id of the delete of a resource whose id is never reused. */
export function deleteOperationId(kind: string, id: string): string {
    return uuidv5(JSON.stringify(["delete", kind, id]), NAMESPACE);
}

/**
 * Where this stack's state is kept. Two people can each have a stack `dev` of one program with a backend on their own
 * machine: organization, project, stack and URN are the same, and without the backend the second would be handed what
 * the first has created.
 */
export function backendOf(
    environment: Readonly<Record<string, string | undefined>> = process.env,
    directory: string = process.cwd(),
): string {
    const url =
        environment.PULUMI_BACKEND_URL ||
        projectBackend(directory) ||
        loginBackend(environment) ||
        "https://api.pulumi.com";
    if (!url.startsWith("file:")) {
        return url;
    }
    // Its options (`?metadata=skip`) say how the state is kept there, and may change from one run to the next.
    const [place = ""] = url.slice("file:".length).replace(/^\/\//, "").replace(/^~/, os.homedir()).split("?");
    return `file:${os.hostname()}:${path.resolve(directory, place)}`;
}

function projectBackend(directory: string): string | undefined {
    for (let at = directory; ; at = path.dirname(at)) {
        for (const name of ["Pulumi.yaml", "Pulumi.yml"]) {
            const project = readIfThere(path.join(at, name));
            if (project !== undefined) {
                return backendUrl(project);
            }
        }
        if (path.dirname(at) === at) {
            return undefined;
        }
    }
}

function backendUrl(project: string): string | undefined {
    // Few projects set a backend: the others need not load a parser.
    if (!project.includes("backend")) {
        return undefined;
    }
    const { parse } = require("yaml") as typeof yaml;
    try {
        const url: unknown = parse(project)?.backend?.url;
        return typeof url === "string" && url !== "" ? url : undefined;
    } catch {
        // Pulumi reads it too, and reports what is wrong with it.
        return undefined;
    }
}

function loginBackend(environment: Readonly<Record<string, string | undefined>>): string | undefined {
    const home = environment.PULUMI_HOME || path.join(os.homedir(), ".pulumi");
    const directory = environment.PULUMI_CREDENTIALS_PATH || home;
    try {
        const credentials: unknown = JSON.parse(readIfThere(path.join(directory, "credentials.json")) ?? "{}");
        const { current } = credentials as { current?: unknown };
        return typeof current === "string" ? current : undefined;
    } catch {
        return undefined;
    }
}

function readIfThere(file: string): string | undefined {
    try {
        return readFileSync(file, "utf8");
    } catch {
        return undefined;
    }
}
