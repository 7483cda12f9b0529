import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { ServerCredentials } from "@grpc/grpc-js";
import { createServer, type Server } from "nice-grpc";
import { HealthDefinition, HealthServiceImpl, HealthState } from "nice-grpc-server-health";
import type { Account } from "../proto/generated/temporal/api/cloud/account/v1/message";
import {
    AccountAccess_Role as AccountRole,
    type ApiKey,
    type ServiceAccount,
    type User,
} from "../proto/generated/temporal/api/cloud/identity/v1/message";
import type { Namespace } from "../proto/generated/temporal/api/cloud/namespace/v1/message";
import type { Project } from "../proto/generated/temporal/api/cloud/project/v1/message";
import { ResourceState } from "../proto/generated/temporal/api/cloud/resource/v1/message";
import { Authentication } from "./authentication";
import { Connections } from "./connections";
import { withUnknownField } from "./core/canonical";
import { Cloud } from "./core/cloud";
import type { Kind, Resource } from "./core/collection";
import { toTimestamp } from "./core/time";
import { Faults } from "./faults";
import { RequestLog } from "./requests";
import { Resources } from "./resources";
import { cloudService, rpcNames } from "./server";
import { allHandlers, kinds } from "./services";
import { accountKind } from "./services/account";
import { apiKeyKind } from "./services/api-keys";
import { completeCapacity, namespaceKind } from "./services/namespaces";
import { projectKind } from "./services/projects";
import { serviceAccountKind } from "./services/service-accounts";
import { userKind } from "./services/users";
import { defaultSettings, type Settings } from "./settings";
import { StateFile, savedAccount } from "./state";
import { isLocal, localCertificate } from "./tls";

/** Options of an emulator. */
export interface EmulatorOptions {
    /** The port to listen on; 0 picks a free one. Default 0. */
    port?: number;
    /** The address to bind. Default 127.0.0.1: unreachable from other machines. */
    host?: string;
    /** The account id. Default: that of the state file, else `a1b2c`. */
    account?: string;
    /** The API key of the root principal. Default: a random one. */
    rootKey?: string;
    /** Whether to use TLS, with a self-signed certificate for localhost (`caCertificate`). Default false. */
    tls?: boolean;
    /** A file that persists the account across restarts. Default none. */
    stateFile?: string;
    /** Settings that differ from the defaults. */
    settings?: Partial<Settings>;
}

const defaultAccount = "a1b2c";

/** An embedded stand-in for Temporal Cloud that holds one account: a strict gRPC server for tests, demos and benchmarks. */
export class Emulator {
    /** What clients connect to: `127.0.0.1:41234`, with TLS `localhost:41234`. */
    readonly address: string;
    /** The namespaces, to look at and to change behind the provider's back. */
    readonly namespaces: Resources<Namespace>;
    /** The users. */
    readonly users: Resources<User>;
    /** The service accounts. */
    readonly serviceAccounts: Resources<ServiceAccount>;
    /** The API keys. */
    readonly apiKeys: Resources<ApiKey>;
    /** The projects. */
    readonly projects: Resources<Project>;
    /** The account itself, the only one. */
    readonly accounts: Resources<Account>;
    private stopped = false;

    private constructor(
        /** The id of the account. */
        readonly account: string,
        /** The bearer key of the root principal. */
        readonly rootKey: string,
        /** The certificate that clients must trust, in PEM, where the emulator speaks TLS. */
        readonly caCertificate: string | undefined,
        /** How it behaves; changes take effect at once. */
        readonly settings: Settings,
        /** The faults that it shall show. */
        readonly faults: Faults,
        /** What has been asked of it. */
        readonly requests: RequestLog,
        private readonly cloud: Cloud,
        private readonly server: Server,
        private readonly connections: Connections,
        private readonly stateFile: StateFile | undefined,
        host: string,
        /** The port that it listens on. */
        readonly port: number,
    ) {
        const isAny = host === "0.0.0.0" || host === "::";
        this.address = `${caCertificate && isLocal(host) ? "localhost" : isAny ? "127.0.0.1" : authority(host)}:${port}`;
        this.namespaces = new Resources(cloud, namespaceKind);
        this.users = new Resources(cloud, userKind);
        this.serviceAccounts = new Resources(cloud, serviceAccountKind);
        this.apiKeys = new Resources(cloud, apiKeyKind);
        this.projects = new Resources(cloud, projectKind);
        this.accounts = new Resources(cloud, accountKind);
    }

    /** Starts one. */
    static async start(options: EmulatorOptions = {}): Promise<Emulator> {
        const {
            port = 0,
            host = "127.0.0.1",
            rootKey = `tmprl_root_${randomBytes(24).toString("base64url")}`,
        } = options;
        const stateFile = options.stateFile === undefined ? undefined : new StateFile(options.stateFile);
        const saved = options.stateFile === undefined ? undefined : savedAccount(options.stateFile);
        const account = options.account ?? saved ?? defaultAccount;
        if (saved !== undefined && saved !== account) {
            throw new Error(`${options.stateFile} holds account ${saved}, not ${account}`);
        }
        if (!/^[a-z0-9]+$/.test(account)) {
            throw new Error(
                `An account id consists of lowercase letters and digits, unlike ${JSON.stringify(account)}.`,
            );
        }
        const settings: Settings = { ...defaultSettings, regions: [...defaultSettings.regions], ...options.settings };
        const faults = new Faults(rpcNames);
        const requests = new RequestLog();
        // If it fails to start, it must not overwrite another emulator's file, or one that it could not read.
        let started = false;
        const cloud = new Cloud(account, settings, faults, () => {
            if (started) stateFile?.changed(cloud);
        });
        for (const kind of kinds) cloud.of(kind);
        if (options.stateFile !== undefined && existsSync(options.stateFile)) stateFile?.restore(cloud, kinds);
        const root = builtIns(cloud);

        let boundPort = -1;
        const connections = new Connections(() => boundPort);
        const authentication = new Authentication(cloud, rootKey, root);
        const service = cloudService({
            cloud,
            authentication,
            requests,
            handlers: allHandlers(cloud),
            cut: (peer) => connections.cut(peer),
        });
        // A page of a thousand namespaces with certificates is larger than gRPC's limit of 4 MB.
        const server = createServer({ "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 });
        server.add(service.definition, service.implementation);
        const health = HealthState();
        health.setStatus("healthy");
        server.add(HealthDefinition, HealthServiceImpl(health));
        const tls = options.tls ? localCertificate(host) : undefined;
        try {
            boundPort = await listen(server, `${authority(host)}:${port}`, tls && credentials(tls));
            // Fail now if the file cannot be written.
            stateFile?.save(cloud);
            started = true;
        } catch (error) {
            connections.close();
            server.forceShutdown();
            throw error;
        }
        const ca = tls?.certificate;
        return new Emulator(
            account,
            rootKey,
            ca,
            settings,
            faults,
            requests,
            cloud,
            server,
            connections,
            stateFile,
            host,
            boundPort,
        );
    }

    /** Stops it: answers no more, cuts all connections, writes the state file. */
    async stop(): Promise<void> {
        if (this.stopped) return;
        this.stopped = true;
        this.server.forceShutdown();
        this.connections.close();
        this.stateFile?.save(this.cloud);
        // The sockets are closed in the next turn of the event loop.
        await new Promise((resolve) => setImmediate(resolve));
    }

    /** Ends all operations that are in flight now, whatever time they had left. */
    finishOperations(): void {
        this.cloud.operations.finishAll();
    }

    /** Ends all capacity requests that are in progress now, whatever time they had left. */
    finishCapacityRequests(): void {
        this.cloud.settle();
        for (const entry of this.cloud.of(namespaceKind).all()) completeCapacity(entry, this.cloud);
    }

    /** Gives the spec of a resource one more field, of a version newer than this package's: length-delimited, with these bytes. */
    addUnknownField(
        kind: "namespaces" | "users" | "serviceAccounts" | "apiKeys" | "projects" | "accounts",
        id: string,
        fieldNumber: number,
        bytes: Uint8Array,
    ): void {
        const resources: { change(id: string, change: (resource: Resource) => void): void } = this[kind];
        resources.change(id, (resource) => {
            if (resource.spec) resource.spec = withUnknownField(resource.spec, fieldNumber, bytes);
        });
    }
}

/** A host in the form that precedes a port. */
const authority = (host: string): string => (host.includes(":") ? `[${host}]` : host);

async function listen(server: Server, address: string, tls: ServerCredentials | undefined): Promise<number> {
    try {
        return await server.listen(address, tls);
    } catch (error) {
        throw new Error(`Cannot listen on ${address}: ${(error as Error).message}`);
    }
}

function credentials({ certificate, privateKey }: ReturnType<typeof localCertificate>): ServerCredentials {
    const pair = { cert_chain: Buffer.from(certificate), private_key: Buffer.from(privateKey) };
    return ServerCredentials.createSsl(null, [pair]);
}

/** Creates what every account comes with, unless the state file had it. Returns the possible owners of the root key. */
function builtIns(cloud: Cloud): { userId: string; serviceAccountId: string } {
    const now = toTimestamp(cloud.now());
    const add = <T extends Resource>(kind: Kind<T>, partial: Parameters<Kind<T>["type"]["fromPartial"]>[0]): T => {
        const collection = cloud.of(kind);
        for (const { resource, builtIn } of collection.all()) if (builtIn) return resource;
        const resource = kind.complete(kind.type.fromPartial(partial), cloud);
        const entry = collection.insert(
            { ...resource, state: ResourceState.RESOURCE_STATE_ACTIVE, createdTime: now },
            true,
        );
        collection.write(entry, entry.resource, now);
        return entry.resource;
    };
    const access = (role: AccountRole) => ({ accountAccess: { role } });
    add(accountKind, { spec: {} });
    add(projectKind, { spec: { displayName: "default" } });
    const owner = add(userKind, {
        spec: { email: `owner@${cloud.account}.example`, access: access(AccountRole.ROLE_OWNER) },
    });
    const root = add(serviceAccountKind, { spec: { name: "root", access: access(AccountRole.ROLE_ADMIN) } });
    return { userId: owner.id, serviceAccountId: root.id };
}
