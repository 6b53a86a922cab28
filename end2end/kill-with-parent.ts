// Ends processes when the test runner that started them dies.
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';

const script = join(__dirname, '..', 'tools', 'testbed', 'kill-with-parent.sh');

/** Ends `child`, or its process group, when this process dies. Ending the standard input of the returned process
    disables it. */
export function killWithParent(child: ChildProcess, { group = false } = {}): ChildProcess | undefined {
  if (child.pid === undefined) return undefined;
  return spawn('sh', [script, `${group ? -child.pid : child.pid}`], { stdio: ['pipe', 'ignore', 'inherit'] });
}
