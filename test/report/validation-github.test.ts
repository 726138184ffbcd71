import { describe, expect, test } from 'vitest';
import { FindingAnnotations } from '../../src/report/validation-github.ts';
import type { PlacedFinding } from '../../src/report/validation-text.ts';
import type { Severity } from '../../src/validation/rules.ts';

const kinds = { error: 'error', warn: 'warning', info: 'notice' } as const;

function found(severity: Severity, line: number, place: string): PlacedFinding {
  const [rule, skill, file] = ['link-not-found', 'a', 'SKILL.md'] as const;
  const said = { what: 'it leads nowhere', remedy: 'Correct it.', fixable: false };
  return { finding: { rule, severity, skill, file, line, column: 1, ...said }, place };
}

function annotated(findings: readonly PlacedFinding[], workspace = process.cwd()): readonly string[] {
  const annotations = new FindingAnnotations({ GITHUB_WORKSPACE: workspace });
  for (const one of findings) annotations.add([one]);
  return annotations.lines().split('\n').slice(0, -1);
}

describe.each(['error', 'warn', 'info'] as const)('annotations of findings that are %s', (severity) => {
  const findings = Array.from({ length: 5000 }, (_, at) => found(severity, at + 1, 'skills/a/SKILL.md'));

  test('are as many as GitHub shows, at their places', () => {
    const lines = annotated(findings.slice(0, 10));
    expect(lines).toHaveLength(10);
    expect(lines[9]).toBe(
      `::${kinds[severity]} file=skills/a/SKILL.md,line=10,col=1,title=link-not-found::it leads nowhere%0ACorrect it.`,
    );
  });

  test('are no more, and the last one counts the rest', () => {
    const lines = annotated(findings);
    expect(lines).toHaveLength(10);
    expect(lines[8]).toContain('line=9,');
    expect(lines[9]).toContain(`4991 more ${kinds[severity]}`);
  });
});

test('annotations come by severity, each kind with its own limit', () => {
  const findings = (['info', 'warn', 'error'] as const).flatMap((severity) =>
    Array.from({ length: 11 }, () => found(severity, 1, 'skills/a/SKILL.md')),
  );
  const lines = annotated(findings).map((line) => line.split(' ')[0]);
  expect(lines).toEqual(['::error', '::warning', '::notice'].flatMap((kind) => Array(10).fill(kind)));
});

test('annotations name no file outside of the workspace', () => {
  expect(annotated([found('warn', 1, '/elsewhere/SKILL.md')], '/somewhere')).toEqual([
    '::warning title=link-not-found::it leads nowhere%0ACorrect it.',
  ]);
});
