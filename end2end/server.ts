// The real program, as a process of its own.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killWithParent } from './kill-with-parent';

const program = process.env.TONESA_BINARY ?? join(__dirname, '..', 'target', 'debug', 'tonesa');
const readyWithin = 30_000;
const stopsWithin = 12_000;
/** Of what the program logs, so much is kept for a failed test's report, in characters. */
const keptLog = 64 * 1024;

export type Environment = Record<string, string>;

/** A server with a data folder of its own. */
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

  /** Starts it and waits until it answers; again after `stop`, at the same port with the same data. */
  async start() {
    const seen = this.log.length;
    const child = spawn(program, { env: this.variables(), stdio: ['ignore', 'pipe', 'pipe'] });
    this.child = child;
    child.on('error', (error) => this.note(`${program} cannot be started: ${error.message}\n`));
    this.killer = killWithParent(child);
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => this.note(text));
    }
    const deadline = Date.now() + readyWithin;
    while (!(await this.isReady(seen))) {
      if (!isRunning(child) || Date.now() > deadline) {
        await this.stop();
        throw new Error(`The server did not start:\n${this.log}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Ends it by this signal and waits until it is gone. Gives its exit code, null if the signal killed it. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<number | null> {
    const child = this.child;
    if (!child) return null;
    const lastResort = setTimeout(() => child.kill('SIGKILL'), stopsWithin);
    if (isRunning(child)) {
      const gone = once(child, 'exit');
      child.kill(signal);
      await gone;
    }
    clearTimeout(lastResort);
    this.killer?.stdin?.end();
    this.child = undefined;
    return child.exitCode;
  }

  /** Ends it and removes its data. */
  async remove() {
    await this.stop();
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  /** It has said which port the system gave it, and answers there. */
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

  /** Nothing of the person's own settings, and no limits on how much a test may do in a minute. */
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
    this.log = (this.log + text).slice(-keptLog);
  }
}

function isRunning(child: ChildProcess) {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}
