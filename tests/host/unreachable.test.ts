// A file of its own, since the answer is worth a wait: an endpoint that is only restarting should not be given up at once.

import type { AddressInfo } from "node:net";
import net from "node:net";
import { withHost } from "../support/host";
import { errorOf, namespace, up } from "./resources";

test("an endpoint at which nobody is", async () => {
    const closed = await closedPort();
    await withHost({}, async (host) => {
        await host.configure({
            "temporalcloud:apiKey": "tmprl_key",
            "temporalcloud:endpoint": `http://127.0.0.1:${closed}`,
        });
        const startedAt = Date.now();
        const { message } = await errorOf(up(host, namespace()));
        expect(message).toMatch(/^Namespace "orders" could not be created: \w+: UNAVAILABLE: /);
        expect(message).toContain(
            `No answer from 127.0.0.1:${closed}. Check temporalcloud:endpoint, the network, and HTTPS_PROXY.`,
        );
        // 20 s, and time for a machine that is busy.
        expect(Date.now() - startedAt).toBeLessThan(30_000);
    });
});

async function closedPort(): Promise<number> {
    const server = net.createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    return port;
}
