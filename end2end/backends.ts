// What many nodes share: real Redis, MongoDB and S3 servers, started by the test bed's program.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Environment } from './server';

const program = process.env.TESTBED_BINARY ?? join(__dirname, '..', 'target', 'debug', 'testbed');

/** The three servers. They live as long as the program's standard input is open, so none outlives this process. */
export class Backends {
  private constructor(
    private readonly child: ChildProcess,
    /** The variables with which a node uses them. */
    readonly environment: Environment,
  ) {}

  static async start(): Promise<Backends> {
    const child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] });
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`${program} ended with ${code} before its servers were there`);
    });
    const told = once(createInterface(child.stdout), 'line');
    const [line] = await Promise.race([told, ended]);
    // Its end is expected from now on.
    ended.catch(() => {});
    return new Backends(child, JSON.parse(line));
  }

  async stop() {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.stdin?.end();
    await gone;
  }
}
