// Firefox and WebKit, driven by their WebDrivers.
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { Builder, Capabilities, type WebDriver } from 'selenium-webdriver';
import { killWithParent } from '../kill-with-parent';

export type Engine = 'firefox' | 'webkit';

const startTimeout = 30_000;

/** A program with all that it starts, which ends with the test runner. */
class Program {
  private readonly child: ChildProcess;
  private readonly killer?: ChildProcess;

  constructor(command: string, args: string[], stdio: StdioOptions, environment: NodeJS.ProcessEnv = {}) {
    // In a process group of its own: a driver that is ended leaves its browser behind.
    this.child = spawn(command, args, { stdio, detached: true, env: { ...process.env, ...environment } });
    this.killer = killWithParent(this.child, { group: true });
  }

  get failed() {
    return this.child.exitCode !== null || this.child.pid === undefined;
  }

  /** The first line that it writes to this file descriptor. */
  async firstLine(descriptor: number): Promise<string> {
    const [text] = await once(this.child.stdio[descriptor] as Readable, 'data');
    return String(text).trim();
  }

  async stop() {
    const ended = once(this.child, 'exit');
    if (!this.failed) {
      process.kill(-this.child.pid!, 'SIGTERM');
      await ended;
    }
    this.killer?.stdin?.end();
  }
}

/** A screen without a device: WebKitGTK has no mode without windows. */
export class Screen {
  private constructor(private readonly program: Program, readonly display: string) {}

  static async start(): Promise<Screen> {
    const args = ['-displayfd', '3', '-screen', '0', '1600x1200x24', '-nolisten', 'tcp'];
    const program = new Program('Xvfb', args, ['ignore', 'ignore', 'ignore', 'pipe']);
    return new Screen(program, `:${await program.firstLine(3)}`);
  }

  stop() {
    return this.program.stop();
  }
}

/** A browser with a profile of its own, and the driver that it was started by. */
export class Browser {
  private constructor(private readonly program: Program, readonly driver: WebDriver) {}

  static async start(engine: Engine, screen?: Screen): Promise<Browser> {
    const port = await freePort();
    const program =
      engine === 'firefox'
        ? new Program(process.env.GECKODRIVER ?? 'geckodriver', [`--port=${port}`, '--log=error'], 'ignore')
        : new Program('WebKitWebDriver', [`--port=${port}`], 'ignore', { DISPLAY: screen?.display });
    const url = `http://127.0.0.1:${port}`;
    const deadline = Date.now() + startTimeout;
    while (!(await fetch(`${url}/status`).then(({ ok }) => ok, () => false))) {
      if (program.failed || Date.now() > deadline) {
        await program.stop();
        throw new Error(`the driver of ${engine} did not start`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const driver = await new Builder().usingServer(url).withCapabilities(capabilities(engine)).build();
    return new Browser(program, driver);
  }

  async stop() {
    await this.driver.quit().catch(() => undefined);
    await this.program.stop();
  }
}

function capabilities(engine: Engine): Capabilities {
  if (engine === 'webkit') return new Capabilities({ browserName: 'MiniBrowser' });
  const binary = process.env.FIREFOX;
  return new Capabilities({
    browserName: 'firefox',
    'moz:firefoxOptions': { args: ['-headless'], ...(binary && { binary }) },
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
