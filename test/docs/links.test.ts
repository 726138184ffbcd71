// What the documents link to, and the paths that they name, are there.

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import fastGlob from 'fast-glob';
import { describe, expect, test } from 'vitest';
import { projectRoot } from '../acceptance/cli.ts';

const pages = fastGlob.sync(['*.md', 'docs/**/*.md', 'bench/*.md'], { cwd: projectRoot });

/** A heading as GitHub makes an anchor of it. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

/** What a page shows as an example links to nothing. */
const withoutCode = (text: string) => text.replaceAll(/^(`{3,}).*\n[\s\S]*?\n\1$/gm, '');

async function anchorsIn(file: string): Promise<readonly string[]> {
  const text = await readFile(file, 'utf8');
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchorOf(heading));
}

describe.each(pages)('%s', (page) => {
  test('links to what is there', async () => {
    const text = withoutCode(await readFile(path.join(projectRoot, page), 'utf8'));
    const broken: string[] = [];
    for (const [, link = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(link)) continue;
      const [to = '', anchor] = link.split('#');
      const file = to === '' ? path.join(projectRoot, page) : path.join(projectRoot, path.dirname(page), to);
      const isThere = existsSync(file) && (anchor === undefined || (await anchorsIn(file)).includes(anchor));
      if (!isThere) broken.push(link);
    }
    expect(broken).toEqual([]);
  });

  test('names paths that are there', async () => {
    const text = await readFile(path.join(projectRoot, page), 'utf8');
    const named = [...text.matchAll(/`((?:src|test|bench|docs|migrations)\/[\w./-]+)`/g)].map(
      ([, name = '']) => name,
    );
    // NAME is for the reader to choose.
    const meant = named.filter((name) => !/[A-Z]{4}/.test(name));
    expect(meant.filter((name) => !existsSync(path.join(projectRoot, name)))).toEqual([]);
  });
});
