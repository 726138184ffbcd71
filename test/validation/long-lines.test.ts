// Texts of one long line that repeats a part: what would take quadratic time takes longer than a test may.

import { describe, expect, test } from 'vitest';
import { document, findingsOf } from './skills.ts';

const bodyLength = 1_000_000;
/** Within the limit of a frontmatter, escaped. */
const valueLength = 100_000;

const parts = [
  ...['[', '](', '](a', '[a](', '[a]: ', '`', '`` ', '(', ',', '-', ' ', '\r', '\t', '.a', 'a.', 'use '],
  ...['bash ', 'bash -a ', 'uv run ', '#!/bin/sh\n'],
  ...['/home/', '/home/a', 'C:\\Users\\', 'ghp_', 'sk-ant-', 'AKIA', '-----BEGIN PRIVATE KEY-----'],
  '<!-- skill-fleet-disable ',
];

describe.each(parts)('%j, repeated', (part) => {
  const text = part.repeat(bodyLength / part.length);
  const value = JSON.stringify(text.slice(0, valueLength));

  test.each([
    ['a body', { 'SKILL.md': document('', `${text}\n`) }],
    ['an attached text', { 'SKILL.md': document('', 'See a.md.\n'), 'a.md': text, 'b.txt': '#!/bin/sh\n' }],
    ['a license', { 'SKILL.md': document(`license: ${value}\n`) }],
    ['a name', { 'SKILL.md': `---\nname: ${value}\n---\nRead.\n` }],
    ['a description', { 'SKILL.md': `---\ndescription: ${value}\n---\nRead.\n` }],
    ['tools', { 'SKILL.md': document(`allowed-tools: ${value}\n`) }],
  ])('as %s is read', (_what, files) => {
    expect(findingsOf(files)).toBeInstanceOf(Array);
  });
});
