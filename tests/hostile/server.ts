// A proxy in front of the emulator that answers as no server should. It speaks HTTP/2 itself, so that every frame can be
// wrong, and is genuine wherever a test does not say otherwise.

import { once } from "node:events";
import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import * as grpc from "@grpc/grpc-js";
import type { Emulator } from "../../emulator";
import { CloudServiceDefinition } from "../../proto/generated/temporal/api/cloud/cloudservice/v1/service";

/** One call that is to be answered. */
export class Call {
    constructor(
        /** `GetNamespace` */
        readonly method: string,
        readonly stream: http2.ServerHttp2Stream,
        /** How many calls of this method came before. */
        readonly earlier: number,
        private readonly forward: () => Promise<Uint8Array>,
    ) {}

    /** Has the emulator process the call; its answer as bytes. */
    genuine(): Promise<Uint8Array> {
        return this.forward();
    }

    headers(headers: http2.OutgoingHttpHeaders = {}): void {
        this.stream.respond(
            { ":status": 200, "content-type": "application/grpc", ...headers },
            { waitForTrailers: true },
        );
        this.stream.on("wantTrailers", () => this.stream.sendTrailers({ "grpc-status": "0" }));
    }

    /** A message in its frame. */
    message(bytes: Uint8Array): void {
        this.stream.write(frame(bytes));
    }

    answer(bytes: Uint8Array): void {
        this.headers();
        this.stream.end(frame(bytes));
    }

    fail(status: number | string, text = ""): void {
        this.stream.respond(
            {
                ":status": 200,
                "content-type": "application/grpc",
                "grpc-status": String(status),
                "grpc-message": encodeURIComponent(text),
            },
            { endStream: true },
        );
    }
}

export type Hostility = (call: Call) => void | Promise<void>;

export function frame(bytes: Uint8Array, length = bytes.length, flag = 0): Buffer {
    const head = Buffer.alloc(5);
    head.writeUInt8(flag, 0);
    head.writeUInt32BE(length, 1);
    return Buffer.concat([head, bytes]);
}

interface MessageType {
    encode(message: object): { finish(): Uint8Array };
    decode(bytes: Uint8Array): Record<string, unknown>;
}

/** Changes the genuine answer, as a message. */
export function mutated(change: (answer: Record<string, unknown>, call: Call) => void): Hostility {
    return async (call) => {
        const methods: readonly { name: string; responseType: unknown }[] = Object.values(
            CloudServiceDefinition.methods,
        );
        const type = methods.find(({ name }) => name === call.method)?.responseType as MessageType;
        const answer = type.decode(await call.genuine());
        change(answer, call);
        call.answer(type.encode(answer).finish());
    };
}

export class HostileServer {
    /** How a request is answered; undefined: genuinely. */
    hostility: (method: string, request: Buffer) => Hostility | undefined = () => undefined;
    /** The methods that were called, in order. */
    readonly calls: string[] = [];
    /** How long the client waits for the answer, by method: of its last call. */
    readonly allowedMs = new Map<string, number>();
    private readonly counts = new Map<string, number>();
    private readonly sessions = new Set<http2.ServerHttp2Session>();

    private constructor(
        private readonly server: http2.Http2Server,
        private readonly upstream: grpc.Client,
        readonly address: string,
    ) {}

    static async start(emulator: Emulator): Promise<HostileServer> {
        const server = http2.createServer();
        server.listen(0, "127.0.0.1");
        await once(server, "listening");
        const upstream = new grpc.Client(emulator.address, grpc.credentials.createInsecure());
        const { port } = server.address() as AddressInfo;
        const hostile = new HostileServer(server, upstream, `127.0.0.1:${port}`);
        server.on("session", (session) => {
            hostile.sessions.add(session);
            session.on("close", () => hostile.sessions.delete(session));
            session.on("error", () => {});
        });
        server.on("stream", (stream, headers) => {
            stream.on("error", () => {});
            hostile.take(stream, headers).catch((error: unknown) => {
                // The emulator's refusals go on as they are; whatever else fails is the client's cut, or a test's slip.
                const { code, details } = error as grpc.ServiceError;
                if (!stream.destroyed && !stream.headersSent) {
                    new Call("", stream, 0, async () => new Uint8Array()).fail(code ?? 13, details ?? String(error));
                }
            });
        });
        return hostile;
    }

    stop(): void {
        for (const session of this.sessions) {
            session.destroy();
        }
        this.server.close();
        this.upstream.close();
    }

    private async take(stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders): Promise<void> {
        const path = String(headers[":path"]);
        const method = path.slice(path.lastIndexOf("/") + 1);
        const earlier = this.counts.get(method) ?? 0;
        this.counts.set(method, earlier + 1);
        this.calls.push(method);
        this.allowedMs.set(method, timeoutMs(String(headers["grpc-timeout"])));
        const chunks: Buffer[] = [];
        for await (const chunk of stream) {
            chunks.push(chunk as Buffer);
        }
        const request = Buffer.concat(chunks).subarray(5);
        const metadata = new grpc.Metadata();
        for (const name of ["authorization", "temporal-cloud-api-version"]) {
            metadata.set(name, String(headers[name]));
        }
        const forward = () =>
            new Promise<Uint8Array>((resolve, reject) => {
                const same = (bytes: Buffer) => bytes;
                this.upstream.makeUnaryRequest(path, same, same, request, metadata, (error, answer) =>
                    error ? reject(error) : resolve(answer ?? new Uint8Array()),
                );
            });
        const call = new Call(method, stream, earlier, forward);
        const hostility = this.hostility(method, request);
        if (hostility) {
            await hostility(call);
        } else {
            call.answer(await call.genuine());
        }
    }
}

const UNITS_MS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

/** A timeout as gRPC sends it: `75S`. */
function timeoutMs(text: string): number {
    return Number.parseInt(text, 10) * (UNITS_MS[text.slice(-1)] ?? Number.NaN);
}
