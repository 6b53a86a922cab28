// The server as a process.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killWithParent } from './kill-with-parent';

const program = process.env.TONESA_BINARY ?? join(__dirname, '..', 'target', 'debug', 'tonesa');
const startTimeout = 30_000;
const stopTimeout = 12_000;
/** The length of the log that is kept for a failed test's report, in characters. */
const maxLog = 64 * 1024;

export type Environment = Record<string, string>;

/** A server with its own data folder. */
export class Server {
  readonly dataDir = mkdtempSync(join(tmpdir(), 'tonesa-'));
  log = '';
  private child?: ChildProcess;
  private killer?: ChildProcess;
  private port = '0';

  constructor(private readonly environment: Environment = {}) {}

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The newest lines of the log that tell of a failure. */
  get complaints() {
    return this.log.split('\n').filter((line) => /"level":"(WARN|ERROR)"|"status":5/.test(line)).slice(-20);
  }

  /** Starts it and waits until it answers. After `stop` it starts with the same port and data. */
  async start() {
    const seen = this.log.length;
    const child = spawn(program, { env: this.variables(), stdio: ['ignore', 'pipe', 'pipe'] });
    this.child = child;
    child.on('error', (error) => this.note(`${program} cannot be started: ${error.message}\n`));
    this.killer = killWithParent(child);
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => this.note(text));
    }
    const deadline = Date.now() + startTimeout;
    while (!(await this.isReady(seen))) {
      if (!isRunning(child) || Date.now() > deadline) {
        await this.stop();
        throw new Error(`The server did not start:\n${this.log}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Sends the signal and waits until the process has ended. Returns its exit code, or null if the signal killed it. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<number | null> {
    const child = this.child;
    if (!child) return null;
    const kill = setTimeout(() => child.kill('SIGKILL'), stopTimeout);
    if (isRunning(child)) {
      const ended = once(child, 'exit');
      child.kill(signal);
      await ended;
    }
    clearTimeout(kill);
    this.killer?.stdin?.end();
    this.child = undefined;
    return child.exitCode;
  }

  /** Stops it and removes its data. */
  async remove() {
    await this.stop();
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  /** Whether it has logged its port and answers there. */
  private async isReady(seen: number): Promise<boolean> {
    if (this.port === '0') {
      this.port = this.log.slice(seen).match(/serving at http:\/\/127\.0\.0\.1:(\d+)/)?.[1] ?? '0';
      if (this.port === '0') return false;
    }
    return fetch(`${this.url}/livez`).then(
      (answer) => answer.ok,
      () => false,
    );
  }

  /** None of the user's settings, and no rate limits. */
  private variables(): Environment {
    return {
      PATH: process.env.PATH ?? '',
      PORT: this.port,
      RUST_BACKTRACE: '1',
      TONESA_DATA_DIR: this.dataDir,
      TONESA_UPLOADS_PER_MINUTE: '0',
      TONESA_MESSAGES_PER_MINUTE: '0',
      ...this.environment,
    };
  }

  private note(text: string) {
    this.log = (this.log + text).slice(-maxLog);
  }
}

function isRunning(child: ChildProcess) {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}
