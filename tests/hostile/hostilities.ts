// What a server can do wrong, from the connection up to the meaning of a message.

import http2 from "node:http2";
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { AsyncOperation_State as OperationState } from "../../proto/generated/temporal/api/cloud/operation/v1/message";
import { ResourceState } from "../../proto/generated/temporal/api/cloud/resource/v1/message";
import { type Call, frame, type Hostility, mutated } from "./server";

type Message = Record<string, unknown>;

/** The operation of an answer, if it has one. */
const operationIn = (answer: Message) => answer.asyncOperation as Message | undefined;

/** The resources of an answer. */
function resourcesIn(answer: Message): Message[] {
    return ["namespace", "user", "serviceAccount", "apiKey", "namespaces", "users", "serviceAccounts", "apiKeys"]
        .flatMap((name) => answer[name] ?? [])
        .filter((value): value is Message => typeof value === "object" && value !== null);
}

const idField = (resource: Message) => ("namespace" in resource ? "namespace" : "id");

const onOperation = (change: (operation: Message, call: Call) => void): Hostility =>
    mutated((answer, call) => {
        const operation = operationIn(answer);
        if (operation) {
            change(operation, call);
        }
    });

const onResources = (change: (resource: Message) => void): Hostility =>
    mutated((answer) => {
        for (const resource of resourcesIn(answer)) {
            change(resource);
        }
    });

const duration = (seconds: bigint, nanos = 0) => ({ seconds, nanos });
const time = (seconds: bigint, nanos = 0) => ({ seconds, nanos });

function ended(state: OperationState, failureReason: string): Hostility {
    return onOperation((operation) => {
        operation.state = state;
        operation.failureReason = failureReason;
    });
}

/** The connection, HTTP/2 and the frames of gRPC. The call is processed before, so that it is the answer that is lost. */
export const transport: Readonly<Record<string, Hostility>> = {
    "never answers": () => {},
    "processes it and never answers": async (call) => {
        await call.genuine();
    },
    "sends headers and nothing else": async (call) => {
        await call.genuine();
        call.headers();
    },
    "hangs after the message": async (call) => {
        const bytes = await call.genuine();
        call.headers();
        call.message(bytes);
    },
    "hangs in the middle of the message": async (call) => {
        const bytes = await call.genuine();
        call.headers();
        call.stream.write(frame(bytes).subarray(0, 5 + bytes.length / 2));
    },
    "ends in the middle of the message": async (call) => {
        const bytes = await call.genuine();
        call.headers();
        call.stream.end(frame(bytes).subarray(0, 5 + bytes.length / 2));
    },
    "resets the stream": async (call) => {
        await call.genuine();
        call.stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
    },
    "refuses the stream": (call) => call.stream.close(http2.constants.NGHTTP2_REFUSED_STREAM),
    "resets the stream after the message": async (call) => {
        const bytes = await call.genuine();
        call.headers();
        call.message(bytes);
        setTimeout(() => call.stream.close(http2.constants.NGHTTP2_CANCEL), 20);
    },
    "says goodbye": async (call) => {
        await call.genuine();
        call.stream.session?.goaway(http2.constants.NGHTTP2_NO_ERROR);
        call.stream.session?.destroy();
    },
    "wants to be left in peace": (call) => {
        call.stream.session?.goaway(http2.constants.NGHTTP2_ENHANCE_YOUR_CALM, 0, Buffer.from("too_many_pings"));
        call.stream.session?.destroy();
    },
    "cuts the connection": async (call) => {
        await call.genuine();
        call.stream.session?.destroy();
    },
    "ends without a status": async (call) => {
        call.stream.respond({ ":status": 200, "content-type": "application/grpc" });
        call.stream.end(frame(await call.genuine()));
    },
    "ends well without a message": (call) => {
        call.headers();
        call.stream.end();
    },
    "answers twice": async (call) => {
        const bytes = await call.genuine();
        call.headers();
        call.message(bytes);
        call.stream.end(frame(bytes));
    },
    "is a web server, and busy": (call) => {
        call.stream.respond({ ":status": 502, "content-type": "text/html" });
        call.stream.end("<html>Bad gateway</html>");
    },
    "is a web server, and glad": (call) => {
        call.stream.respond({ ":status": 200, "content-type": "text/html" });
        call.stream.end("<html>Please sign in</html>");
    },
    "is somewhere else": (call) => {
        call.stream.respond({ ":status": 302, location: "https://example.com/" }, { endStream: true });
    },
    "announces 4 GB": (call) => {
        call.headers();
        call.stream.end(frame(new Uint8Array(10), 0xffff_ffff));
    },
    "announces 200 MB": (call) => {
        call.headers();
        call.stream.write(frame(new Uint8Array(10), 200 * 1024 * 1024));
    },
    "says that it compresses, and does not": async (call) => {
        const bytes = await call.genuine();
        call.headers({ "grpc-encoding": "gzip" });
        call.stream.end(frame(bytes, bytes.length, 1));
    },
    "compresses in a way of its own": async (call) => {
        const bytes = await call.genuine();
        call.headers({ "grpc-encoding": "middle-out" });
        call.stream.end(frame(bytes, bytes.length, 1));
    },
    "fails with a code that there is not": (call) => call.fail(999, "beyond"),
    "fails with no number": (call) => call.fail("very", "much"),
    "fails without words": (call) => call.fail(2),
    "fails with many words": (call) => call.fail(13, "words ".repeat(1_000)),
    "calls every request wrong": (call) => call.fail(3, "no"),
    "finds nothing to change": (call) => call.fail(3, "nothing to change"),
    "calls every request untimely": (call) => call.fail(9, "not now"),
    "aborts for ever": (call) => call.fail(10, "again"),
    "is exhausted for ever": (call) => call.fail(8, "slower"),
    "has lost data": (call) => call.fail(15, "alas"),
    "knows no such method": (call) => call.fail(12, "what?"),
};

/** Bytes that are another message than they should be, or none. */
export const encoding: Readonly<Record<string, Hostility>> = {
    "answers with an empty message": async (call) => {
        await call.genuine();
        call.answer(new Uint8Array());
    },
    "answers with garbage": async (call) => {
        await call.genuine();
        call.answer(new Uint8Array(64).fill(0xff));
    },
    "answers with zeros": (call) => call.answer(new Uint8Array(64)),
    "answers with wrong types": async (call) => {
        await call.genuine();
        const writer = new BinaryWriter();
        for (let field = 1; field <= 20; field++) {
            writer.uint32(field << 3).uint32(field);
        }
        call.answer(writer.finish());
    },
    "answers with empty parts": async (call) => {
        await call.genuine();
        const writer = new BinaryWriter();
        for (let field = 1; field <= 20; field++) {
            writer.uint32((field << 3) | 2).bytes(new Uint8Array());
        }
        call.answer(writer.finish());
    },
    "cuts the message short": async (call) => {
        const bytes = await call.genuine();
        call.answer(bytes.subarray(0, Math.max(0, bytes.length - 3)));
    },
    "writes texts that are no UTF-8": async (call) => {
        const text = Buffer.from(await call.genuine()).toString("latin1");
        // Every description and reason; names and ids stay, or nothing would be found.
        call.answer(Buffer.from(text.replaceAll("hostile", "host\xff\xfee"), "latin1"));
    },
};

/** Messages that mean what they should not. */
export const meaning: Readonly<Record<string, Hostility>> = {
    "gives another resource": onResources((resource) => {
        resource[idField(resource)] = "other";
    }),
    "gives a resource without its id": onResources((resource) => {
        resource[idField(resource)] = "";
    }),
    "gives a resource without a spec": onResources((resource) => {
        resource.spec = undefined;
    }),
    "gives a resource with an empty spec": onResources((resource) => {
        for (const part of Object.keys(resource.spec as Message).filter((name) => !/Attributes$/.test(name))) {
            const value = (resource.spec as Message)[part];
            (resource.spec as Message)[part] = Array.isArray(value)
                ? []
                : typeof value === "object"
                  ? undefined
                  : value;
        }
    }),
    "knows a state of its own": onResources((resource) => {
        resource.state = 77;
    }),
    "has it activating for ever": onResources((resource) => {
        resource.state = ResourceState.RESOURCE_STATE_ACTIVATING;
    }),
    "has it changing for ever": onResources((resource) => {
        resource.state = ResourceState.RESOURCE_STATE_UPDATING;
        resource.asyncOperationId = "unheard-of";
    }),
    "has another version each time": onResources((resource) => {
        resource.resourceVersion = `${Math.random()}`;
    }),
    "has times beyond all times": onResources((resource) => {
        resource.createdTime = time(2n ** 62n);
        resource.lastModifiedTime = time(-(2n ** 62n), -1);
        const spec = resource.spec as Message;
        if ("expiryTime" in spec) {
            spec.expiryTime = time(2n ** 62n, 2_000_000_000);
        }
    }),
    "has a map with a prototype": onResources((resource) => {
        const poison = (map: object, value: unknown) =>
            Object.defineProperty(map, "__proto__", { value, enumerable: true, configurable: true });
        if (resource.tags) {
            poison(resource.tags, "hostile");
        }
        const access = (resource.spec as { access?: { namespaceAccesses: object } }).access;
        if (access) {
            poison(access.namespaceAccesses, { permission: 1, permissionDeprecated: "polluted" });
        }
    }),
    "names no id": mutated((answer) => {
        for (const name of ["namespace", "userId", "serviceAccountId", "keyId"]) {
            if (typeof answer[name] === "string") {
                answer[name] = "";
            }
        }
    }),
    "gives no token": mutated((answer) => {
        if ("token" in answer) {
            answer.token = "";
        }
    }),
    "names no operation": mutated((answer) => {
        answer.asyncOperation = undefined;
    }),
    "names an operation without an id": onOperation((operation) => {
        operation.id = "";
    }),
    "names another operation": onOperation((operation) => {
        operation.id = "unheard-of";
    }),
    "knows an operation's state of its own": onOperation((operation) => {
        operation.state = 77;
    }),
    "never ends an operation": onOperation((operation) => {
        operation.state = OperationState.STATE_PENDING;
    }),
    "goes back and forth": onOperation((operation, { earlier }) => {
        operation.state = earlier % 2 === 0 ? OperationState.STATE_IN_PROGRESS : OperationState.STATE_PENDING;
    }),
    "wants to be asked in years": onOperation((operation) => {
        operation.state = OperationState.STATE_IN_PROGRESS;
        operation.checkDuration = duration(315_000_000_000n);
    }),
    "wants to be asked before": onOperation((operation) => {
        operation.checkDuration = duration(-(2n ** 62n), -999_999_999);
    }),
    "starts operations beyond all times": onOperation((operation) => {
        operation.startedTime = time(2n ** 62n, -5);
        operation.finishedTime = time(-(2n ** 62n));
    }),
    "fails an operation for no reason": ended(OperationState.STATE_FAILED, ""),
    "rejects an operation for many reasons": ended(OperationState.STATE_REJECTED, "reason ".repeat(10_000)),
    "cancels an operation": ended(OperationState.STATE_CANCELLED, "hostile"),
};

export const hostilities: Readonly<Record<string, Hostility>> = { ...transport, ...encoding, ...meaning };
