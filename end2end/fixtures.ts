// What the tests stand on: the real program with an empty data folder, and pages whose console stays clean.
import { test as base, type BrowserContext } from '@playwright/test';
import { ConsoleGuard } from './console_guard';
import { Server, type Environment } from './server';

interface WorkerFixtures {
  /** Variables for this file's server: `test.use({ serverEnv: { TONESA_MAX_UPLOAD_BYTES: '1000' } })`. */
  serverEnv: Environment;
  /** The server of all tests with the same `serverEnv`. */
  server: Server;
}

interface TestFixtures {
  consoleGuard: ConsoleGuard;
  /** Lets the pages of this test complain about this. */
  allowConsole: (pattern: RegExp) => void;
  /** A second person's browser: no cookies and no storage in common with `context`. */
  another: BrowserContext;
  /** Starts a server for this test alone, for those that stop it or need other settings. */
  startServer: (environment?: Environment) => Promise<Server>;
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

  baseURL: async ({ server }, use) => use(server.url),

  // Set up before every context and so checked after their end, when nothing more can be said.
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

  another: async ({ browser, contextOptions, baseURL, consoleGuard }, use) => {
    const context = await browser.newContext({ ...contextOptions, baseURL });
    consoleGuard.watch(context);
    await use(context);
    await context.close();
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

  serverLog: [
    async ({ server }, use, testInfo) => {
      await use();
      if (testInfo.status !== testInfo.expectedStatus) await testInfo.attach('server log', { body: server.log });
    },
    { auto: true },
  ],
});

export { expect } from '@playwright/test';
