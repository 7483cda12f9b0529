import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";

/** Node's channel that reports every connection accepted by a server of this process. */
const channel = "net.server.socket";

/** The connections to one port of this process: gRPC cannot cut a single one, and its shutdown leaves some open. */
export class Connections {
    private readonly sockets = new Map<string, Socket>();

    constructor(private readonly port: () => number) {
        subscribe(channel, this.accepted);
    }

    /** Cuts the connection with this peer (`address:port`). */
    cut(peer: string): void {
        this.sockets.get(peer)?.destroy();
    }

    /** Cuts all. */
    close(): void {
        unsubscribe(channel, this.accepted);
        for (const socket of this.sockets.values()) socket.destroy();
    }

    private readonly accepted = (message: unknown): void => {
        const { socket } = message as { socket: Socket };
        if (socket.localPort !== this.port()) return;
        const peer = `${socket.remoteAddress}:${socket.remotePort}`;
        this.sockets.set(peer, socket);
        socket.once("close", () => {
            if (this.sockets.get(peer) === socket) this.sockets.delete(peer);
        });
    };
}
