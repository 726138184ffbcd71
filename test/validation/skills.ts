// Skills for tests of rules, and what the rules find in them.

import { isUtf8 } from 'node:buffer';
import type { FilePath, SkillPath } from '../../src/skill/path.ts';
import { makeSkill, type Skill } from '../../src/skill/skill.ts';
import type { Finding } from '../../src/validation/finding.ts';
import { Policy, type Settings } from '../../src/validation/policy.ts';
import type { Target } from '../../src/validation/rules.ts';
import { readSubject } from '../../src/validation/subject.ts';
import { Validation } from '../../src/validation/validation.ts';

/** A file's text or bytes; with the executable bit where it is in a list. */
export type Files = { readonly [path: string]: string | Buffer | readonly [string] };

export function skillOf(path: string, files: Files): Skill {
  const entries = Object.entries(files).map(([file, content]) => ({
    path: file as FilePath,
    executable: Array.isArray(content),
    bytes: Buffer.from([content].flat()[0] as string | Buffer),
  }));
  return makeSkill(path as SkillPath, entries);
}

interface Around {
  readonly path?: string;
  readonly target?: Target | undefined;
  readonly settings?: Settings;
  readonly keepsModes?: boolean;
  readonly standing?: readonly string[];
}

/** What is found in one skill by itself. */
export function findingsOf(files: Files, around: Around = {}): readonly Finding[] {
  const { path = 'a/pdf-forms', target = 'spec', settings, keepsModes = true, standing = [] } = around;
  const validation = new Validation(new Policy(target, settings));
  return checked(validation, skillOf(path, files), { keepsModes, standing: new Set(standing) });
}

function checked(
  validation: Validation,
  skill: Skill,
  surroundings: Parameters<Validation['skill']>[1],
): readonly Finding[] {
  const subject = readSubject(skill);
  if (!subject.ok) return validation.unreadable(skill.path, subject.problem);
  return validation.skill(subject.value, surroundings);
}

/** What is found in skills together, after each by itself; their documents by their paths. */
export function libraryFindings(
  documents: { readonly [path: string]: string },
  {
    isWhole = true,
    settings,
    target = 'spec',
  }: { readonly isWhole?: boolean; readonly settings?: Settings; readonly target?: Target } = {},
): readonly Finding[] {
  const validation = new Validation(new Policy(target, settings));
  for (const [path, document] of Object.entries(documents)) {
    checked(validation, skillOf(path, { 'SKILL.md': document }), { keepsModes: true, standing: new Set() });
  }
  return validation.library(isWhole);
}

/** `RULE FILE:LINE:COLUMN`, for tables; of the document without the file. */
export function marked({ rule, file, line, column }: Finding): string {
  const place = line === undefined ? '' : ` ${line}:${column ?? '-'}`;
  return `${rule}${file === undefined || file === 'SKILL.md' ? '' : ` ${file}`}${place}`;
}

/** A document with what the specification asks for, and more lines of frontmatter. */
export function document(more = '', body = 'Read the form first.\n'): string {
  const description = 'Fills PDF forms. Use when a form has to be filled in.';
  return `---\nname: pdf-forms\ndescription: ${description}\n${more}---\n\n${body}`;
}

/** What --fix makes of a skill's files, and what it mends of the findings. */
export function mendedIn(
  files: Files,
  around: Around = {},
  takes: (finding: Finding) => boolean = () => true,
): { readonly files: Files; readonly fixed: readonly Finding[] } {
  const { path = 'a/pdf-forms', target = 'spec', settings, keepsModes = true, standing = [] } = around;
  const subject = readSubject(skillOf(path, files));
  if (!subject.ok) return { files, fixed: [] };
  const validation = new Validation(new Policy(target, settings));
  const mended = validation.mended(subject.value, { keepsModes, standing: new Set(standing) }, takes);
  const { entries } = mended.subject;
  const contentOf = (bytes: Buffer) => (isUtf8(bytes) ? bytes.toString() : bytes);
  return {
    files: Object.fromEntries(
      entries.map(({ path, bytes, executable }) => [
        path,
        executable ? [bytes.toString()] : contentOf(bytes),
      ]),
    ),
    fixed: mended.fixed,
  };
}
