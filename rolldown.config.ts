// The program and the library as users have them: a file for each command and those that commands share. Finding a
// hundred modules takes Node longer than running them.

import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { defineConfig, type OutputBundle, type Plugin } from 'rolldown';
import { isolatedDeclarationSync } from 'rolldown/experimental';

/** The folder of the package that a module is of; undefined of our own. */
function packageOf(module: string): string | undefined {
  const [, folder] = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(module) ?? [];
  return folder;
}

/** What a package's licence asks of those who pass it on: its name, its version, its text. */
function noticeOf(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one));
  const text = file === undefined ? `${license}\n` : readFileSync(path.join(folder, file), 'utf8');
  return `# ${name} ${version}\n\n${text.trim()}\n`;
}

/** The licences of all that is in the program and others', in one file beside it. */
const licenses: Plugin = {
  name: 'licenses',
  generateBundle(_, bundle: OutputBundle) {
    const modules = Object.values(bundle).flatMap((one) => ('moduleIds' in one ? one.moduleIds : []));
    const folders = new Set(modules.flatMap((module) => packageOf(module) ?? []));
    const notices = [...folders].filter(existsSync).sort().map(noticeOf);
    this.emitFile({ type: 'asset', fileName: 'LICENSES.md', source: notices.join('\n') });
  },
};

/** A database as PGlite makes it first, which takes it some seconds: users unpack this one. */
const newDatabase: Plugin = {
  name: 'new-database',
  async generateBundle() {
    const { version } = JSON.parse(readFileSync('node_modules/@electric-sql/pglite/package.json', 'utf8'));
    const kept = `node_modules/.cache/skill-fleet/new-database-${version}.tar.gz`;
    if (!existsSync(kept)) {
      const { PGlite } = await import('@electric-sql/pglite');
      const database = await PGlite.create();
      await database.exec('checkpoint');
      const dump = await database.dumpDataDir('gzip');
      await database.close();
      mkdirSync(path.dirname(kept), { recursive: true });
      // Of two that build at once, neither reads half of it.
      writeFileSync(`${kept}.${process.pid}`, Buffer.from(await dump.arrayBuffer()));
      renameSync(`${kept}.${process.pid}`, kept);
    }
    this.emitFile({ type: 'asset', fileName: 'new-database.tar.gz', source: readFileSync(kept) });
  },
};

/**
 * Node.js 20 reads the file of an --env-file wherever that stands, and runs what NODE_OPTIONS names in it. Nothing that
 * comes after -- is an option to it. So a shell starts it, to which the second line is a command; to Node it is a text.
 */
const start = '#!/bin/sh\n":" //; exec node -- "$0" "$@"\n';

/** npm makes a program executable when it links it, and not when it is built again. */
const executable: Plugin = {
  name: 'executable',
  writeBundle({ dir = '' }) {
    const file = path.join(dir, 'cli.js');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/^#!.*\n/, start));
    chmodSync(file, 0o755);
  },
};

/** Files of `src/api/` that say what programs see, and import none but each other. */
const declared = ['api', 'error', 'options', 'reports'];

/** What a program's compiler reads of the library. */
const declarations: Plugin = {
  name: 'declarations',
  generateBundle() {
    for (const name of declared) {
      const file = `src/api/${name}.ts`;
      const { code, errors } = isolatedDeclarationSync(file, readFileSync(file, 'utf8'));
      if (errors.length > 0) throw new Error(`${file}: ${errors.map(({ message }) => message).join(', ')}`);
      const source = code.replaceAll(/(['"]\.\/\w+)\.ts(['"])/g, '$1.js$2');
      this.emitFile({ type: 'asset', fileName: `types/${name}.d.ts`, source });
    }
  },
};

export default defineConfig({
  input: { cli: 'src/cli.ts', api: 'src/api/api.ts' },
  platform: 'node',
  // It brings files of its own, and is loaded by few commands. The other is tried for, and need not be there.
  external: [/^@electric-sql\/pglite/, 'pg-native'],
  // js-yaml 3, which gray-matter brings, reads functions by this where it can be had: nothing here shall.
  resolve: { alias: { esprima: false } },
  // pg makes a response to learn whether it is not in Node: that loads all of Node's HTTP client.
  transform: { define: { Response: 'undefined' } },
  plugins: [licenses, newDatabase, executable, declarations],
  output: { dir: 'dist', format: 'esm', cleanDir: true, chunkFileNames: '[name].js' },
});
