// The backends that nodes share: real Redis, MongoDB and S3 servers, started by the program `testbed`.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Environment } from './server';

const program = process.env.TESTBED_BINARY ?? join(__dirname, '..', 'target', 'debug', 'testbed');

/** The three servers. They run as long as `testbed`'s standard input is open, so none outlives this process. */
export class Backends {
  private constructor(
    private readonly child: ChildProcess,
    /** The environment variables for a node that uses them. */
    readonly environment: Environment,
  ) {}

  static async start(): Promise<Backends> {
    const child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] });
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`${program} ended with ${code} before its servers had started`);
    });
    const ready = once(createInterface(child.stdout), 'line');
    const [line] = await Promise.race([ready, ended]);
    // From now on its end is no error.
    ended.catch(() => {});
    return new Backends(child, JSON.parse(line));
  }

  async stop() {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.stdin?.end();
    await ended;
  }
}
