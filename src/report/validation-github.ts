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

/** The annotations of all findings; of more than GitHub shows, the last one of a kind counts the rest. */
export function annotateFindings(
  findings: readonly PlacedFinding[],
  env: { readonly [name: string]: string | undefined },
): string {
  const workspace = realPath(env['GITHUB_WORKSPACE'] || process.cwd());
  return kinds
    .map(([severity, kind]): Kind => {
      const own = findings.filter(({ finding }) => finding.severity === severity);
      return {
        kind,
        count: own.length,
        shown: own.slice(0, maxAnnotations).map((one) => annotation(one, workspace)),
      };
    })
    .map(annotationLines)
    .join('');
}

function annotation({ finding, place }: PlacedFinding, workspace: string): Kind['shown'][number] {
  const { rule, what, remedy, line, column } = finding;
  const file = path.relative(workspace, realPath(path.resolve(place)));
  const isWithin = file !== '..' && !file.startsWith('../') && !path.isAbsolute(file);
  return { title: rule, message: [what, remedy], file: isWithin ? file : undefined, line, column };
}
