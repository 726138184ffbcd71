// One loaded skill held to the rules for single skills, with what of its surroundings they ask.

import { answer, nodeDisk } from '../disk.ts';
import { fileModesAreKept } from '../git/file-modes.ts';
import type { Loaded } from '../replica.ts';
import { lostTargets } from '../validation/body-rules.ts';
import type { Finding } from '../validation/finding.ts';
import { readSubject, type Subject } from '../validation/subject.ts';
import type { Surroundings, Validation } from '../validation/validation.ts';

/** The skills of one directory under validation. */
export interface Judge {
  readonly validation: Validation;
  readonly around: (subject: Subject) => Promise<Surroundings>;
}

/** @param root the skills directory, without links */
export function judgeOf(validation: Validation, root: string, keepsModes: boolean): Judge {
  return {
    validation,
    around: async (subject) => ({ standing: await standingOf(subject, root), keepsModes }),
  };
}

/** What is wrong with a skill by itself. */
export async function check(loaded: Loaded, { validation, around }: Judge): Promise<readonly Finding[]> {
  if ('problem' in loaded) return validation.unreadable(loaded.path, loaded.problem);
  const subject = readSubject(loaded.skill);
  if (!subject.ok) return validation.unreadable(loaded.path, subject.problem);
  return validation.skill(subject.value, await around(subject.value));
}

/** Whether files below `root` tell which of them are executable. */
export async function tellsModes(root: string): Promise<boolean> {
  return (await nodeDisk.keepsModes(root)) && (await fileModesAreKept(root)) !== false;
}

/** What links lead to that is no file of the skill, and there all the same: a nested skill's, or an ignored one. */
async function standingOf(subject: Subject, root: string): Promise<ReadonlySet<string>> {
  const standing = new Set<string>();
  for (const target of lostTargets(subject)) {
    const seen = await answer(nodeDisk.lstat(`${root}/${subject.path}/${target}`));
    if (seen.ok) standing.add(target);
  }
  return standing;
}
