// Whoever follows a page of the documentation, line by line, gets what it says.

import { spawnSync } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { projectRoot } from '../acceptance/cli.ts';
import { isShown, readBlocks, runBlocks, writePrints } from './shell-blocks.ts';

const guide = await readdir(path.join(projectRoot, 'docs/guide'));
const pages = [
  'README.md',
  ...guide.filter((name) => name.endsWith('.md')).map((name) => `docs/guide/${name}`),
];

/** Pages without a block, and why. */
const withoutBlocks: { readonly [page: string]: string } = {
  'docs/guide/README.md': 'a list of pages',
  'docs/guide/roles.md': 'its SQL is run by test/repository/privileges.test.ts',
};

/** Blocks that do not run here, by their first line. */
const notRun: { readonly [page: string]: readonly string[] } = {
  'docs/guide/embedded-database.md': ['mkdir skills-dump'],
};

const hasPsql = spawnSync('psql', ['--version']).status === 0;
const psqlPages = await Promise.all(
  pages.map(async (page) => (await readBlocks(page)).some(({ shell }) => /^psql /m.test(shell))),
);

describe('the shell blocks of', () => {
  for (const [at, page] of pages.entries()) {
    const isSkipped = psqlPages[at] === true && !hasPsql;
    test.skipIf(isSkipped)(
      `${page} do what it says${isSkipped ? ' (skipped: psql is not installed)' : ''}`,
      async () => {
        const all = await readBlocks(page);
        expect(all.length === 0).toBe(page in withoutBlocks);
        const firstLines = all.filter((block) => block.notRun).map(({ shell }) => shell.split('\n')[0]);
        expect(firstLines).toEqual(notRun[page] ?? []);
        const blocks = all.filter((block) => block.notRun === undefined);
        const { code, printed } = await runBlocks(blocks);
        const last = printed.findLastIndex((text) => text !== undefined);
        expect(code, `${page}:${blocks[last]?.line}\n${printed[last]}`).toBe(0);
        const other = blocks.flatMap(({ line, prints }, place) => {
          const text = printed[place] ?? '';
          return prints === undefined || isShown(prints, text) ? [] : [{ line, prints, text }];
        });
        // To write anew what is printed: WRITE_PAGES=1 npx vitest run test/docs/shell-blocks.test.ts
        if (process.env['WRITE_PAGES']) await writePrints(page, other);
        for (const { line, prints, text } of other) expect.soft(text, `${page}:${line}`).toBe(prints);
      },
      // Some pages run thirty commands.
      300_000,
    );
  }
});
