// Real documents: every one is read or is a named problem, and none loses a byte.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { freshFrontmatter } from '../../src/document/fresh.ts';
import { decodeDocument, parseDocument } from '../../src/document/parse.ts';
import { splitDocument } from '../../src/document/split.ts';
import type { SkillPath } from '../../src/skill/path.ts';

const corpus = '../shared/corpus';

describe.skipIf(!existsSync(corpus))('the corpus', () => {
  const files = existsSync(corpus)
    ? readdirSync(corpus, { recursive: true, encoding: 'utf8' }).filter((file) =>
        /(?:^|\/)skill\.md$/i.test(file),
      )
    : [];
  const documents = files.map((file) => {
    const place = { skill: dirname(file) as SkillPath, file: 'SKILL.md' };
    return { place, decoded: decodeDocument(readFileSync(join(corpus, file)), place) };
  });
  const texts = documents.flatMap(({ place, decoded }) =>
    decoded.ok ? [{ place, text: decoded.value }] : [],
  );
  const parsed = texts.map(({ place, text }) => ({ place, outcome: parseDocument(text, place) }));

  test('its two parts are each document', () => {
    expect(texts.length).toBeGreaterThan(0);
    for (const { text } of texts) {
      const { frontmatterSource, body } = splitDocument(text);
      expect(frontmatterSource + body).toBe(text);
    }
  });

  test('at most one in 539 is a problem', () => {
    const read = parsed.filter(({ outcome }) => outcome.ok).length;
    expect(documents.length - read).toBeLessThanOrEqual(Math.ceil(documents.length / 539));
  });

  test('its values, printed afresh, are read back', () => {
    for (const { place, outcome } of parsed) {
      if (!outcome.ok) continue;
      const { fields, body } = outcome.value;
      const again = parseDocument(freshFrontmatter(fields, body) + body, place);
      expect(again).toMatchObject({ ok: true, value: { fields, body } });
    }
  });
});
