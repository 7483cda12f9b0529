import { ServerError } from "nice-grpc-common";
import {
    AccountAccess_Role as AccountRole,
    User,
    type UserSpec,
} from "../../proto/generated/temporal/api/cloud/identity/v1/message";
import type { Handlers } from "../core/call";
import { type Cloud, newId } from "../core/cloud";
import type { Kind } from "../core/collection";
import { must, precondition } from "../core/errors";
import { toTimestamp } from "../core/time";
import { create, read, remove, update } from "../core/writes";
import { checkAccess, normalizeAccess } from "../rules/access";
import { checkEmail } from "../rules/texts";
import { known } from "./known";

const invitationMs = 30 * 24 * 60 * 60 * 1000;

/** The kind of resource in this file. */
export const userKind: Kind<User> = {
    name: "users",
    label: "user",
    type: User,
    idOf: (user) => user.id,
    indexes: { email: (user) => user.spec?.email.toLowerCase() ?? "" },
    complete(user, cloud) {
        const now = cloud.now();
        const invitation = { createdTime: toTimestamp(now), expiredTime: toTimestamp(now + invitationMs) };
        const spec = normalizeSpec(user.spec);
        return { ...user, id: user.id || newId(), spec, invitation: user.invitation ?? invitation };
    },
};

function normalizeSpec(spec: UserSpec | undefined): UserSpec {
    must(spec !== undefined, "spec is required");
    must(spec.access !== undefined, "spec.access is required");
    return { ...spec, access: normalizeAccess(spec.access) };
}

/** The RPCs about users. */
export function userHandlers(cloud: Cloud): Handlers {
    const { settings, operations } = cloud;
    const collection = cloud.of(userKind);

    const checked = (request: UserSpec | undefined, before?: User): UserSpec => {
        const spec = normalizeSpec(request);
        checkEmail(spec.email);
        if (before) must(spec.email === before.spec?.email, "the email of a user cannot be changed");
        if (spec.access) checkAccess(spec.access, before?.spec?.access, known(cloud), true);
        return spec;
    };

    return {
        createUser(request, call) {
            const spec = checked(request.spec);
            if (collection.indexed("email", spec.email.toLowerCase()).length > 0) {
                throw new ServerError(settings.duplicateNameCode, `user ${JSON.stringify(spec.email)} already exists`);
            }
            const [{ id }, operation] = create(cloud, userKind, User.create({ spec }), call);
            return { userId: id, asyncOperation: operations.message(operation) };
        },
        getUser: (request, call) => ({ user: read(cloud, userKind, request.userId, call) }),
        getUsers(request, call) {
            const { email, namespace } = request;
            const page = collection.page(
                request,
                call.now,
                JSON.stringify([email, namespace]),
                ({ spec }) => namespace === "" || spec?.access?.namespaceAccesses[namespace] !== undefined,
                email === "" ? undefined : collection.indexed("email", email.toLowerCase()),
            );
            return { users: page.items, nextPageToken: page.nextPageToken };
        },
        updateUser(request, call) {
            const change = (current: User): User => ({ ...current, spec: checked(request.spec, current) });
            const operation = update(cloud, userKind, request.userId, call, change, {
                version: request.resourceVersion,
            });
            return { asyncOperation: operations.message(operation) };
        },
        deleteUser(request, call) {
            const operation = remove(cloud, userKind, request.userId, call, {
                version: request.resourceVersion,
                check({ spec }) {
                    const isOwner = spec?.access?.accountAccess?.role === AccountRole.ROLE_OWNER;
                    if (isOwner) throw precondition("an owner of the account cannot be deleted");
                },
            });
            return { asyncOperation: operations.message(operation) };
        },
    };
}
