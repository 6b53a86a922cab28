// No process outlives the test runner that started it.
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';

const script = join(__dirname, '..', 'tools', 'testbed', 'kill-with-parent.sh');

/** Ends `child` when this process dies, in whatever way. To let go, end the standard input of what it returns. */
export function killWithParent(child: ChildProcess): ChildProcess | undefined {
  if (child.pid === undefined) return undefined;
  return spawn('sh', [script, `${child.pid}`], { stdio: ['pipe', 'ignore', 'inherit'] });
}
