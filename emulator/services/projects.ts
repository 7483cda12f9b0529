import { Project, type ProjectSpec } from "../../proto/generated/temporal/api/cloud/project/v1/message";
import type { Handlers } from "../core/call";
import { type Cloud, newId } from "../core/cloud";
import type { Kind } from "../core/collection";
import { must, precondition } from "../core/errors";
import { create, read, remove, update } from "../core/writes";
import { checkDescription, checkText } from "../rules/texts";
import { namespaceKind } from "./namespaces";

/** The kind of resource in this file. */
export const projectKind: Kind<Project> = {
    name: "projects",
    label: "project",
    type: Project,
    idOf: (project) => project.id,
    complete(project) {
        const lifecycle = project.spec?.lifecycle ?? { enableDeleteProtection: false };
        const spec = project.spec && { ...project.spec, lifecycle };
        return { ...project, id: project.id || newId(), spec };
    },
};

/** The id of the default project, to which namespaces without a project belong. */
export function defaultProjectId(cloud: Cloud): string {
    for (const { resource, builtIn } of cloud.of(projectKind).all()) if (builtIn) return resource.id;
    return "";
}

function checkSpec(spec: ProjectSpec | undefined): ProjectSpec {
    must(spec !== undefined, "spec is required");
    checkText(spec.displayName, "display_name");
    checkDescription(spec.description);
    return spec;
}

/** The RPCs about projects. */
export function projectHandlers(cloud: Cloud): Handlers {
    const { operations } = cloud;
    const collection = cloud.of(projectKind);
    return {
        createProject(request, call) {
            const project = Project.create({ spec: checkSpec(request.spec) });
            const [{ id }, operation] = create(cloud, projectKind, project, call);
            return { projectId: id, asyncOperation: operations.message(operation) };
        },
        getProject: (request, call) => ({ project: read(cloud, projectKind, request.projectId, call) }),
        getProjects(request, call) {
            const wanted = new Set(request.projectIds);
            const filter = ({ id }: Project) => wanted.size === 0 || wanted.has(id);
            const page = collection.page(request, call.now, JSON.stringify(request.projectIds), filter);
            return { projects: page.items, nextPageToken: page.nextPageToken };
        },
        updateProject(request, call) {
            const change = (current: Project): Project => ({ ...current, spec: checkSpec(request.spec) });
            const options = { version: request.resourceVersion };
            const operation = update(cloud, projectKind, request.projectId, call, change, options);
            return { asyncOperation: operations.message(operation) };
        },
        deleteProject(request, call) {
            const operation = remove(cloud, projectKind, request.projectId, call, {
                version: request.resourceVersion,
                isProtected: ({ spec }) => spec?.lifecycle?.enableDeleteProtection ?? false,
                check({ id }) {
                    if (id === defaultProjectId(cloud)) throw precondition("the default project cannot be deleted");
                    const used = cloud.of(namespaceKind).indexed("project", id).length > 0;
                    if (used) throw precondition(`project ${JSON.stringify(id)} is not empty`);
                },
            });
            return { asyncOperation: operations.message(operation) };
        },
    };
}
