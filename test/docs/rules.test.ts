// Each rule has its page, which says what the table says, and whose examples are what the rule finds and does not.

import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { pageOf } from '../../src/validation/finding.ts';
import { defaultSetting, type RuleName, ruleNames, targets } from '../../src/validation/rules.ts';
import { projectRoot } from '../acceptance/cli.ts';
import { findingsOf } from '../validation/skills.ts';
import { rulePage, rulesIndex } from './rules.ts';

const folder = path.join(projectRoot, 'docs/rules');
const textOf = (file: string) => readFileSync(path.join(projectRoot, file), 'utf8');

/** Rules that ask about more than one document: their examples are no document. */
const ofMore: ReadonlySet<RuleName> = new Set([
  ...(['skill-not-readable', 'document-name', 'byte-order-mark', 'skill-too-large'] as const),
  ...(['body-too-many-lines', 'body-too-many-tokens', 'script-not-executable'] as const),
  ...(['script-without-shebang', 'file-not-mentioned', 'secret-likely', 'line-endings-mixed'] as const),
  ...(['name-duplicate', 'names-collide', 'dependency-not-found', 'reference-not-found'] as const),
  'dependency-cycle',
]);

test('no page is without a rule', () => {
  const pages = readdirSync(folder).filter((name) => name !== 'README.md');
  expect(pages.sort()).toEqual(ruleNames.map((rule) => `${rule}.md`).sort());
});

test('the list of rules is what the table says', async () => {
  const file = path.join(folder, 'README.md');
  const text = rulesIndex(textOf('docs/rules/README.md'));
  if (process.env['WRITE_REFERENCE']) await writeFile(file, text);
  expect(readFileSync(file, 'utf8')).toBe(text);
});

describe.each(ruleNames)('the page of %s', (rule) => {
  test('is what the table says', async () => {
    const text = rulePage(rule, textOf(pageOf(rule)));
    if (process.env['WRITE_REFERENCE']) await writeFile(path.join(projectRoot, pageOf(rule)), text);
    expect(textOf(pageOf(rule))).toBe(text);
  });

  test('has a bad example in which the rule is broken, and a good one in which it is not', () => {
    const [bad, good, ...more] = [
      ...textOf(pageOf(rule)).matchAll(/^(`{3,4})(markdown|text)\n((?:---|#|[^<])[\s\S]*?)^\1$/gm),
    ].map(([, , language, text]) => ({ language, text: text ?? '' }));
    expect({ bad: bad?.language, good: good?.language, more }).toEqual({
      bad: ofMore.has(rule) ? 'text' : 'markdown',
      good: ofMore.has(rule) ? 'text' : 'markdown',
      more: [],
    });
    if (ofMore.has(rule)) return;
    const target = targets.find((one) => defaultSetting(rule, one) !== 'off');
    const foundIn = (text = '') =>
      findingsOf({ 'SKILL.md': text }, { path: 'pdf-forms', target }).map((finding) => finding.rule);
    expect(foundIn(bad?.text)).toContain(rule);
    expect(foundIn(good?.text)).toEqual([]);
  });
});
