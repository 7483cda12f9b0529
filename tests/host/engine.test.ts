// A plugin outlives an engine that is killed; this one does not outlive it for long.

import { spawn } from "node:child_process";
import { once } from "node:events";
import net from "node:net";
import path from "node:path";
import { credentials } from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import { CheckRequest, type CheckResponse } from "@pulumi/pulumi/proto/provider_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { makeWorkDir, removeWorkDir, repositoryRoot } from "../support/workdir";

test("the plugin ends soon after its engine", async () => {
    const workDir = makeWorkDir();
    // All that counts is whether somebody listens.
    const engine = net.createServer((socket) => socket.resume()).listen(0, "127.0.0.1");
    await once(engine, "listening");
    const { port } = engine.address() as net.AddressInfo;
    const script = path.join(repositoryRoot, "node_modules", "@pulumi", "pulumi", "cmd", "dynamic-provider");
    const child = spawn(process.execPath, [script, `127.0.0.1:${port}`], {
        cwd: workDir,
        stdio: ["ignore", "pipe", "inherit"],
    });
    try {
        const [first] = (await once(child.stdout.setEncoding("utf8"), "data")) as [string];
        const plugin = new ResourceProviderClient(`127.0.0.1:${first.trim()}`, credentials.createInsecure());
        const news = { __provider: 'exports.handler = () => require("pulumi-temporal-cloud/plugin").namespace;' };
        const request = new CheckRequest().setOlds(new Struct()).setNews(Struct.fromJavaScript(news));
        const response = await new Promise<CheckResponse>((resolve, reject) => {
            plugin.check(request, (error, answer) => (error ? reject(error) : resolve(answer)));
        });
        expect(response.getFailuresList().length).toBeGreaterThan(0);
        plugin.close();

        // As long as the engine is there, so is the plugin: it looks for it several times in this while.
        await once(engine, "connection");
        await once(engine, "connection");
        expect(child.exitCode).toBeNull();
        engine.close();
        const [code] = (await once(child, "exit")) as [number];
        expect(code).toBe(1);
    } finally {
        child.kill("SIGKILL");
        engine.close();
        removeWorkDir(workDir);
    }
});
