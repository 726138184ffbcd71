// What validate found, as annotations of GitHub Actions beside the lines that they are about.

import path from 'node:path';
import type { Severity } from '../validation/rules.ts';
import { annotationLines, type Kind, realPath } from './github.ts';
import type { PlacedFinding } from './validation-text.ts';
import { type AnnotationKind, maxAnnotations } from './workflow-command.ts';

const kinds: readonly (readonly [Severity, AnnotationKind])[] = [
  ['error', 'error'],
  ['warn', 'warning'],
  ['info', 'notice'],
];

/** Counts findings, and keeps those that GitHub shows. */
export class FindingAnnotations {
  readonly #workspace: string;
  readonly #kept = new Map(
    kinds.map(([severity, kind]) => [severity, { kind, count: 0, shown: [] as Kind['shown'][number][] }]),
  );

  constructor(env: { readonly [name: string]: string | undefined }) {
    this.#workspace = realPath(env['GITHUB_WORKSPACE'] || process.cwd());
  }

  add(findings: readonly PlacedFinding[]): void {
    for (const one of findings) {
      const own = this.#kept.get(one.finding.severity);
      if (own === undefined) continue;
      own.count++;
      if (own.shown.length < maxAnnotations) own.shown.push(annotation(one, this.#workspace));
    }
  }

  /** The annotations; of more than GitHub shows, the last one of a kind counts the rest. */
  lines(): string {
    return [...this.#kept.values()].map(annotationLines).join('');
  }
}

function annotation({ finding, place }: PlacedFinding, workspace: string): Kind['shown'][number] {
  const { rule, what, remedy, line, column } = finding;
  const file = path.relative(workspace, realPath(path.resolve(place)));
  const isWithin = file !== '..' && !file.startsWith('../') && !path.isAbsolute(file);
  return { title: rule, message: [what, remedy], file: isWithin ? file : undefined, line, column };
}
