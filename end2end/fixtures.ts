// The fixtures: the real program with an empty data folder, and pages whose console must stay free of errors.
import { test as base, type BrowserContext, type BrowserContextOptions } from '@playwright/test';
import { Backends } from './backends';
import { Balancer } from './balancer';
import { ConsoleGuard } from './console_guard';
import { Server, type Environment } from './server';

interface WorkerFixtures {
  /** Variables for this file's server: `test.use({ serverEnv: { TONESA_MAX_UPLOAD_BYTES: '1000' } })`. */
  serverEnv: Environment;
  /** The server of all tests with the same `serverEnv`. */
  server: Server;
  /** The backends that the nodes of `startNodes` share; started on first use. */
  backends: Backends;
}

interface TestFixtures {
  consoleGuard: ConsoleGuard;
  /** Allows errors and warnings on this test's consoles. */
  allowConsole: (pattern: RegExp) => void;
  /** A second person's browser: it shares no cookies and no storage with `context`. */
  another: BrowserContext;
  /** Starts a server for this test only, to stop it or to give it other settings. */
  startServer: (environment?: Environment) => Promise<Server>;
  /** Starts nodes of one service, which share a Redis, a MongoDB and an S3 server. */
  startNodes: (count: number) => Promise<Server[]>;
  /** Starts a load balancer in front of these nodes. */
  startBalancer: (nodes: Server[]) => Promise<Balancer>;
  /** One more person's browser, for the service at this URL; options that are not given are the test's. */
  browserAt: (baseURL: string, options?: BrowserContextOptions) => Promise<BrowserContext>;
  serverLog: void;
}

export const test = base.extend<TestFixtures, WorkerFixtures>({
  serverEnv: [{}, { option: true, scope: 'worker' }],

  server: [
    async ({ serverEnv }, use) => {
      const server = new Server(serverEnv);
      try {
        await server.start();
        await use(server);
      } finally {
        await server.remove();
      }
    },
    { scope: 'worker' },
  ],

  backends: [
    async ({}, use) => {
      const backends = await Backends.start();
      try {
        await use(backends);
      } finally {
        await backends.stop();
      }
    },
    { scope: 'worker' },
  ],

  baseURL: async ({ server }, use) => use(server.url),

  // Set up before every context, and so checked after they are closed.
  consoleGuard: async ({}, use) => {
    const guard = new ConsoleGuard();
    await use(guard);
    guard.check();
  },

  allowConsole: async ({ consoleGuard }, use) => use((pattern) => consoleGuard.allow(pattern)),

  context: async ({ context, consoleGuard }, use) => {
    consoleGuard.watch(context);
    await use(context);
  },

  another: async ({ browserAt, baseURL }, use) => use(await browserAt(baseURL!)),

  browserAt: async ({ browser, contextOptions, consoleGuard }, use) => {
    const contexts: BrowserContext[] = [];
    await use(async (baseURL, options) => {
      const context = await browser.newContext({ ...contextOptions, baseURL, ...options });
      contexts.push(context);
      consoleGuard.watch(context);
      return context;
    });
    await Promise.all(contexts.map((context) => context.close()));
  },

  startServer: async ({}, use) => {
    const servers: Server[] = [];
    await use(async (environment) => {
      const server = new Server(environment);
      servers.push(server);
      await server.start();
      return server;
    });
    await Promise.all(servers.map((server) => server.remove()));
  },

  startNodes: async ({ backends, startServer }, use, testInfo) => {
    const nodes: Server[] = [];
    await use(async (count) => {
      for (let n = 0; n < count; n++) nodes.push(await startServer(backends.environment));
      return nodes;
    });
    if (testInfo.status === testInfo.expectedStatus) return;
    for (const [n, node] of nodes.entries()) await testInfo.attach(`log of node ${n + 1}`, { body: node.log });
  },

  startBalancer: async ({}, use) => {
    const balancers: Balancer[] = [];
    await use(async (nodes) => {
      const balancer = new Balancer(nodes);
      balancers.push(balancer);
      await balancer.start();
      return balancer;
    });
    await Promise.all(balancers.map((balancer) => balancer.stop()));
  },

  serverLog: [
    async ({ server }, use, testInfo) => {
      await use();
      if (testInfo.status === testInfo.expectedStatus) return;
      await testInfo.attach('server log', { body: server.log });
      // The report shows only the beginning of what is attached.
      console.log(server.complaints.join('\n'));
    },
    { auto: true },
  ],
});

export { expect } from '@playwright/test';
