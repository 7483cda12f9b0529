// The plugin process without an engine: it receives the messages that the engine would send, prepared in advance, so that
// little else runs beside it and its CPU time varies less from run to run.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import path from "node:path";
import { createInterface } from "node:readline";
import { root } from "../scripts/setup.mjs";
import { makeProjectFolder, removeFolder } from "./folder.mjs";
import { costOf } from "./processes.mjs";
import { register } from "./resources.mjs";

const require = createRequire(import.meta.url);
const { Client, credentials } = require("@grpc/grpc-js");
const pulumi = require("@pulumi/pulumi");
const rpc = require("@pulumi/pulumi/proto/provider_pb");
const { Struct } = require("google-protobuf/google/protobuf/struct_pb");

const HOST = path.join(root, "node_modules", "@pulumi", "pulumi", "cmd", "dynamic-provider", "index.js");

/** Placeholder for an id that only the create returns. */
const idOf = (name) => `id of ${name}`;

/** The resources that the program would register; an API key and its owner reference each other. */
async function registered(job) {
    const resources = new Map();
    const newResource = ({ type, name, inputs }) => {
        if (type.startsWith("pulumi-nodejs:")) {
            const owner = resources.get(Object.values(inputs).find((value) => resources.has(value)));
            const resource = { name, urn: `urn:pulumi:bench::bench::${type}::${name}`, inputs, owner };
            resources.set(idOf(name), resource);
            if (owner) {
                owner.key = resource;
            }
        }
        return { id: idOf(name), state: inputs };
    };
    await pulumi.runtime.setMocks({ newResource, call: () => ({}) }, "bench", "bench", false, "organization");
    register(job);
    await pulumi.runtime.disconnect();
    return [...resources.values()];
}

export class LonePlugin {
    operations = LONE_OPERATIONS;

    constructor(contestant, kinds, parallel) {
        this.contestant = contestant;
        this.kinds = kinds;
        this.parallel = parallel;
        this.folder = makeProjectFolder();
    }

    async run(operation, { size, operationMs, emulator, env }) {
        const { contestant, kinds } = this;
        this.resources ??= await registered({ contestant, kinds, size, operationMs });
        await emulator.ask("reset");
        const plugin = await this.start(env);
        const startedAt = performance.now();
        let error;
        try {
            await plugin.call("Configure", new rpc.ConfigureRequest().setArgs(new Struct()), rpc.ConfigureResponse);
            await this.each(operation, (resource) => OPERATIONS[operation](resource, plugin.call));
        } catch (failure) {
            error = failure.details || String(failure);
        }
        const wallMs = performance.now() - startedAt;
        const cost = costOf(plugin.pid);
        await plugin.stop();
        return { wallMs, error, plugin: cost, requests: await emulator.ask("report") };
    }

    /** Processes the resources in parallel: an API key after its owner, in `destroy` before it. */
    async each(operation, work) {
        const backwards = operation === "destroy";
        const queue = (backwards ? this.resources.toReversed() : this.resources).values();
        const begun = new Map();
        const worker = async () => {
            for (const resource of queue) {
                const first = backwards ? resource.key : resource.owner;
                const done = Promise.resolve(begun.get(first)).then(() => work(resource));
                begun.set(resource, done);
                await done;
            }
        };
        await Promise.all(Array.from({ length: this.parallel }, worker));
    }

    async start(env) {
        // Stands in for the engine: the plugin exits if nobody listens, and sends nothing in a run without warnings.
        const engine = createServer().listen(0, "127.0.0.1");
        await once(engine, "listening");
        const child = spawn(process.execPath, [HOST, `127.0.0.1:${engine.address().port}`], {
            cwd: this.folder,
            env: { ...process.env, ...env },
            stdio: ["ignore", "pipe", "inherit"],
        });
        const ended = new Promise((resolve) => child.once("close", resolve));
        // The floor's plugin does not exit with its engine.
        const kill = () => child.kill();
        process.once("exit", kill);
        const port = await new Promise((resolve, reject) => {
            createInterface(child.stdout).once("line", resolve);
            void ended.then((code) => reject(new Error(`the plugin exited with code ${code}`)));
        });
        const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
            "grpc.max_receive_message_length": -1,
        });
        return {
            pid: child.pid,
            call: (method, request, Response) =>
                new Promise((resolve, reject) => {
                    client.makeUnaryRequest(
                        `/pulumirpc.ResourceProvider/${method}`,
                        (message) => Buffer.from(message.serializeBinary()),
                        (bytes) => Response?.deserializeBinary(bytes),
                        request,
                        (failure, response) => (failure ? reject(failure) : resolve(response)),
                    );
                }),
            stop: async () => {
                client.close();
                child.kill("SIGINT");
                await ended;
                process.off("exit", kill);
                engine.close();
            },
        };
    }

    remove() {
        removeFolder(this.folder);
    }
}

const check = async (resource, call, news) => {
    const olds = resource.checked ?? new Struct();
    const request = new rpc.CheckRequest().setUrn(resource.urn).setOlds(olds).setNews(news);
    const response = await call("Check", request, rpc.CheckResponse);
    const [failure] = response.getFailuresList();
    if (failure) {
        throw new Error(`${resource.name}: ${failure.getReason()}`);
    }
    return response.getInputs();
};

const diff = ({ id, urn }, call, { olds, news, oldInputs }) =>
    call("Diff", new rpc.DiffRequest().setId(id).setUrn(urn).setOlds(olds).setNews(news).setOldInputs(oldInputs));

async function read({ id, name, urn, state, checked }, call) {
    const request = new rpc.ReadRequest().setId(id).setUrn(urn).setProperties(state).setInputs(checked);
    const response = await call("Read", request, rpc.ReadResponse);
    if (response.getId() !== id) {
        throw new Error(`${name} is gone`);
    }
    return response;
}

/** The engine's calls for each command. */
const OPERATIONS = {
    async up(resource, call) {
        const { inputs, owner } = resource;
        const known = Object.entries(inputs).map(([key, value]) => [
            key,
            value === idOf(owner?.name) ? owner.id : value,
        ]);
        resource.news = Struct.fromJavaScript(Object.fromEntries(known));
        resource.checked = await check(resource, call, resource.news);
        const request = new rpc.CreateRequest().setUrn(resource.urn).setProperties(resource.checked);
        const response = await call("Create", request, rpc.CreateResponse);
        resource.id = response.getId();
        resource.state = response.getProperties();
    },
    async "up again"(resource, call) {
        const news = await check(resource, call, resource.news);
        await diff(resource, call, { olds: resource.state, news, oldInputs: resource.checked });
    },
    async refresh(resource, call) {
        const { checked } = resource;
        const response = await read(resource, call);
        const now = response.getProperties();
        await diff(resource, call, { olds: now, news: checked, oldInputs: response.getInputs() ?? checked });
        resource.state = now;
    },
    read,
    async destroy({ id, urn, state, checked }, call) {
        await call("Delete", new rpc.DeleteRequest().setId(id).setUrn(urn).setProperties(state).setOldInputs(checked));
    },
};

export const LONE_OPERATIONS = Object.keys(OPERATIONS);
