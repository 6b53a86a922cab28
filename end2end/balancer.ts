// A simple load balancer: TCP, round robin over the nodes that accept connections, no sticky sessions.
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import type { Server } from './server';

export class Balancer {
  /** The nodes of the WebSockets that went through it, in the order in which they were opened. */
  readonly sockets: Server[] = [];
  private readonly open = new Set<Socket>();
  private readonly listener = createServer((client) => this.accept(client));
  private turn = 0;
  private held: Promise<void> = Promise.resolve();

  constructor(private readonly nodes: Server[]) {}

  get url() {
    return `http://127.0.0.1:${(this.listener.address() as AddressInfo).port}`;
  }

  async start() {
    this.listener.listen(0, '127.0.0.1');
    await once(this.listener, 'listening');
  }

  /** Delays new connections until the returned function is called. */
  hold(): () => void {
    let release = () => {};
    this.held = new Promise((resolve) => (release = resolve));
    return release;
  }

  /** Ends all connections. */
  cut() {
    for (const socket of this.open) socket.destroy();
  }

  async stop() {
    this.listener.close();
    this.cut();
    await once(this.listener, 'close');
  }

  private async accept(client: Socket) {
    this.track(client);
    await this.held;
    const found = await this.findNode();
    if (!found || client.destroyed) {
      found?.upstream.destroy();
      client.destroy();
      return;
    }
    const { node, upstream } = found;
    this.track(upstream);
    client.once('data', (request) => {
      if (request.toString('latin1').startsWith('GET /api/socket')) this.sockets.push(node);
    });
    client.pipe(upstream).pipe(client);
    // Both ends are closed together: a half-open connection would hide a node's death from the page.
    client.once('close', () => upstream.destroy());
    upstream.once('close', () => client.destroy());
  }

  /** The next node that accepts a connection. */
  private async findNode(): Promise<{ node: Server; upstream: Socket } | undefined> {
    for (let tries = 0; tries < this.nodes.length; tries++) {
      const node = this.nodes[this.turn++ % this.nodes.length];
      const upstream = connect(Number(new URL(node.url).port), '127.0.0.1');
      const connected = await new Promise<boolean>((resolve) => {
        upstream.once('connect', () => resolve(true)).once('error', () => resolve(false));
      });
      if (connected) return { node, upstream };
    }
    return undefined;
  }

  private track(socket: Socket) {
    this.open.add(socket);
    // A reset ends a connection like a close.
    socket.on('error', () => {}).once('close', () => this.open.delete(socket));
  }
}
