// What the documentation says of the program is what the program says of itself.

import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { silentFields } from '../../src/document/fields.ts';
import { parseDocument } from '../../src/document/parse.ts';
import type { SkillPath } from '../../src/skill/path.ts';
import { projectRoot } from '../acceptance/cli.ts';
import { commandsReference, configurationReference, variablesRead } from './reference.ts';
import { example, skillFilesReference } from './skill-files.ts';

test.each([
  ['commands.md', commandsReference],
  ['configuration.md', configurationReference],
  ['skill-files.md', skillFilesReference],
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

test('the document that docs/reference/skill-files.md shows is read without a warning, and says every field', () => {
  const parsed = parseDocument(example, { skill: 'docker-images' as SkillPath, file: 'SKILL.md' });
  if (!parsed.ok) throw new Error(parsed.problem.reason);
  const { fields, warnings } = parsed.value;
  expect(warnings).toEqual([]);
  const silent = Object.entries(silentFields).filter(
    ([field, value]) => JSON.stringify(fields[field as keyof typeof fields]) === JSON.stringify(value),
  );
  // Those are what most documents are.
  expect(silent.map(([field]) => field)).toEqual(['type', 'status']);
});
