// The command line as users have it: compiled from the sources that are tested.

import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';

export async function setup(): Promise<void> {
  const root = path.join(import.meta.dirname, '../..');
  await promisify(execFile)('npm', ['run', 'build'], { cwd: root });
}
