// Real skills: each is judged, and every finding names a place that is there.

import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { makeProject, projectRoot } from '../acceptance/cli.ts';

const corpus = path.join(projectRoot, '../shared/corpus');

interface Found {
  readonly rule: string;
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
}

describe.skipIf(!existsSync(corpus))('the corpus', () => {
  test('is judged whole, each finding at a place that its file has', async () => {
    const { run } = await makeProject();
    const { code, stdout } = await run(['validate', corpus, '--json']);
    expect(code).toBe(1);
    const { skills, findings } = JSON.parse(stdout) as { skills: number; findings: readonly Found[] };
    expect(skills).toBe(539);
    const misplaced = findings.filter(({ file, line, column = 1 }) => {
      if (line === undefined) return false;
      const text = readFileSync(file, 'utf8').split('\n')[line - 1];
      return text === undefined || column > text.length + 1;
    });
    expect(misplaced).toEqual([]);
  });
});
