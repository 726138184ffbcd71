// What the documentation says of the program is what the program says of itself.

import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { projectRoot } from '../acceptance/cli.ts';
import { commandsReference, configurationReference, variablesRead } from './reference.ts';

test.each([
  ['commands.md', commandsReference],
  ['configuration.md', configurationReference],
])('docs/reference/%s is what the program says', async (name, reference) => {
  const file = path.join(projectRoot, 'docs/reference', name);
  const text = await reference();
  // To write it anew: WRITE_REFERENCE=1 npx vitest run test/docs
  if (process.env['WRITE_REFERENCE']) await writeFile(file, text);
  expect(await readFile(file, 'utf8')).toBe(text);
});

test('.env.example names every variable that the program reads, and no other', async () => {
  const example = await readFile(path.join(projectRoot, '.env.example'), 'utf8');
  const placeholders = ['URL', 'USER', 'PASSWORD', 'HOST', 'DATABASE', 'DIR'];
  const named = [...example.matchAll(/\b[A-Z][A-Z_]+\b/g)].map(([name]) => name);
  const isVariable = (name: string) => !placeholders.includes(name);
  expect([...new Set(named)].filter(isVariable).sort()).toEqual(await variablesRead());
});
