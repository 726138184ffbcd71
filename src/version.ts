// The version of this program, and where it is at home.

import { readFileSync } from 'node:fs';
import { packageRoot } from './package-root.ts';

function packageFile(): { readonly version: string; readonly homepage?: string } {
  return JSON.parse(readFileSync(new URL('package.json', packageRoot), 'utf8'));
}

/** As package.json has it. */
export function programVersion(): string {
  return packageFile().version;
}

/** The URL below which the files of the project can be read; undefined where package.json names none. */
export function programHome(): string | undefined {
  return packageFile().homepage;
}
