// Laws of --fix, on generated and on real skills: twice is once, what is mended is silent, and nothing else differs.

import { existsSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openDirectory } from '../../src/directory/directory.ts';
import { defaultLimits } from '../../src/directory/limits.ts';
import { nodeDisk } from '../../src/disk.ts';
import type { Json } from '../../src/document/fields.ts';
import { oneByOne } from '../../src/replica.ts';
import type { SkillPath } from '../../src/skill/path.ts';
import { makeSkill, type Skill } from '../../src/skill/skill.ts';
import { lostTargets } from '../../src/validation/body-rules.ts';
import { Policy } from '../../src/validation/policy.ts';
import { type RuleName, type Target, targets } from '../../src/validation/rules.ts';
import { readSubject, type Subject } from '../../src/validation/subject.ts';
import { Validation } from '../../src/validation/validation.ts';
import { projectRoot } from '../acceptance/cli.ts';
import { nastyDocuments, tidyDocuments } from '../document/generated-documents.ts';
import { runs } from '../runs.ts';
import { skillOf } from './skills.ts';

/** Of what is no more than a note nothing is mended. */
const notesWarn = { rules: { 'yaml-not-plain': 'warn' }, overrides: [] } as const;

/** Holds a skill against the laws. Returns what was mended of it, and its document then. */
function holds(
  skill: Skill,
  target: Target,
): { readonly fixed: ReadonlySet<string>; readonly text: string } | undefined {
  const before = readSubject(skill);
  if (!before.ok) return undefined;
  const validation = new Validation(new Policy(target, notesWarn));
  const around = { keepsModes: true, standing: new Set(lostTargets(before.value)) };
  const all = () => true;
  const { subject, fixed } = validation.mended(before.value, around, all);
  const twice = validation.mended(subject, around, all);
  expect(twice.fixed).toEqual([]);
  expect(twice.subject).toBe(subject);
  if (fixed.length === 0) {
    expect(subject).toBe(before.value);
    return { fixed: new Set(), text: subject.document.text };
  }
  const [found, left] = [before.value, subject].map((one) => validation.skill(one, around));
  expect(left?.filter(({ fixable }) => fixable)).toEqual([]);
  expect(found?.filter(({ fixable }) => fixable).map(({ rule }) => rule)).toEqual(
    fixed.map(({ rule }) => rule),
  );
  const count = (findings = found, rule: RuleName) =>
    findings?.filter((one) => one.rule === rule).length ?? 0;
  for (const { rule } of left ?? []) {
    const mended = fixed.filter((one) => one.rule === rule).length;
    expect({ rule, left: count(left, rule) }).toEqual({ rule, left: count(found, rule) - mended });
  }
  sayTheSame(before.value, subject);
  const files = ({ entries, document }: Subject) =>
    entries
      .filter((entry) => entry.path !== document.file)
      .map(({ path: file, bytes }) => [file, withoutLineEndings(bytes)]);
  expect(files(subject)).toEqual(files(before.value));
  return { fixed: new Set(fixed.map(({ rule }) => rule)), text: subject.document.text };
}

function withoutLineEndings(bytes: Buffer): string {
  return bytes.toString('latin1').replaceAll('\r', '');
}

function sayTheSame(before: Subject, after: Subject): void {
  const { name, extra, ...fields } = before.document.fields;
  const { name: newName, extra: newExtra, ...newFields } = after.document.fields;
  expect(newFields).toEqual(fields);
  expect([name, before.folder]).toContain(newName);
  expect(texts(newExtra)).toEqual(texts(extra));
}

/** With every number and boolean as a text, since those may be quoted; `1.10` is the number 1.1. */
function texts(json: Json): Json {
  if (typeof json === 'string') return /^-?[\d.]+(?:e[+-]?\d+)?$/i.test(json) ? String(Number(json)) : json;
  if (typeof json !== 'object' || json === null) return json === null ? null : String(json);
  if (Array.isArray(json)) return json.map(texts);
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, texts(value)]));
}

const someTargets = fc.constantFrom(...targets);
const folders = fc.constantFrom('pdf-forms', 'a', 'PDF', 'claude-x');

describe('--fix', () => {
  test('leaves every key of a tidy document alone of which it mends nothing', () => {
    let mended = 0;
    fc.assert(
      fc.property(tidyDocuments, someTargets, folders, ({ text, regions }, target, folder) => {
        const held = holds(skillOf(folder, { 'SKILL.md': text }), target);
        if (held === undefined || held.fixed.size === 0) return;
        mended++;
        const changes = (key: string) =>
          key === 'name' ||
          key.startsWith('metadata') ||
          key === 'allowed-tools' ||
          held.fixed.has('field-not-quoted');
        for (const { key, start, end } of regions) {
          const own = text.slice(start, end);
          const isTouched = changes(key) || /[[{]/.test(own) || held.fixed.has('line-endings-mixed');
          if (!isTouched) expect(held.text).toContain(own);
        }
      }),
      { numRuns: runs(120) },
    );
    expect(mended).toBeGreaterThan(100);
  });

  test('holds its laws on any document', () => {
    fc.assert(
      fc.property(nastyDocuments, someTargets, folders, (text, target, folder) => {
        holds(skillOf(folder, { 'SKILL.md': text }), target);
      }),
      { numRuns: runs(180) },
    );
  });

  test('holds its laws on any text, script and comment', () => {
    const pieces = fc.constantFrom(
      'a',
      '\n',
      '\r\n',
      '\r',
      '#!',
      ' ',
      '<!-- skill-fleet-disable body-empty: a -->',
      '---',
      '- b',
    );
    const someTexts = fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(someTexts, someTexts, someTargets, (body, text, target) => {
        const document = `---\nname: a\ndescription: Use it for a.\n---\n${body}`;
        holds(skillOf('a', { 'SKILL.md': document, 'run.sh': text }), target);
      }),
      { numRuns: runs(120) },
    );
  });
});

const corpus = path.join(projectRoot, '../shared/corpus');

describe.skipIf(!existsSync(corpus))('--fix on the corpus', () => {
  test.each<Target>(['spec', 'skill-fleet'])('holds its laws under %s', async (target) => {
    const opened = await openDirectory({
      root: corpus,
      disk: nodeDisk,
      ignore: [],
      limits: defaultLimits,
      trash: '',
    });
    if (!opened.ok) throw new Error('no corpus');
    const { paths } = await opened.value.list();
    const fixed = new Map<string, number>();
    for await (const loaded of oneByOne(opened.value.load(paths))) {
      if (!('skill' in loaded)) continue;
      const held = holds(makeSkill(loaded.path as SkillPath, loaded.skill.entries), target);
      for (const rule of held?.fixed ?? []) fixed.set(rule, (fixed.get(rule) ?? 0) + 1);
    }
    expect([...fixed.keys()]).toEqual(expect.arrayContaining(['name-differs-from-folder', 'yaml-not-plain']));
  });
});
