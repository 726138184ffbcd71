// Skills as they stand in a folder, for programs: what a document says, and every file.

import { configOf, openLibrary } from '../commands/validate.ts';
import type { DocumentPlace } from '../document/frontmatter.ts';
import { decodeDocument, readDocument } from '../document/parse.ts';
import { readJson } from '../document/values.ts';
import { Warnings } from '../document/warning.ts';
import type { Outcome, Problem } from '../problem.ts';
import { type Loaded, oneByOne } from '../replica.ts';
import { problemJson } from '../report/json.ts';
import { digestSkill } from '../skill/digest.ts';
import { documentOf, type Skill } from '../skill/skill.ts';
import type { Guest } from './guest.ts';
import type { ReadOptions } from './options.ts';
import type { ReadSkill, StandingSkill, UnreadableSkill } from './reports.ts';

/** Reads the skills below a directory, and the one that it is itself. Only a few are in memory at once. */
export async function* readSkillsIn(
  guest: Guest,
  named: string,
  { config: file }: ReadOptions,
): AsyncGenerator<ReadSkill, void> {
  const { host, signal } = guest;
  const config = given(guest, await configOf({ ...(file !== undefined && { config: file }) }, host));
  const { directory, listing, own } = given(guest, await openLibrary(named, config, signal));
  for (const { path, problem } of listing.unreadable) yield unreadable(path, problem);
  for (const [root, paths] of [
    ...(own ? [[own.directory, [own.path]] as const] : []),
    [directory, listing.paths] as const,
  ]) {
    for await (const loaded of oneByOne(root.load(paths))) {
      signal.throwIfAborted();
      yield readSkill(loaded);
    }
  }
}

function given<T>(guest: Guest, outcome: Outcome<T>): T {
  if (!outcome.ok) throw guest.error(outcome.problem);
  return outcome.value;
}

function readSkill(loaded: Loaded): ReadSkill {
  if ('problem' in loaded) return unreadable(loaded.path, loaded.problem);
  const read = standing(loaded.skill);
  return read.ok ? read.value : unreadable(loaded.path, read.problem);
}

function unreadable(path: string, problem: Problem): UnreadableSkill {
  return { path, problem: problemJson(problem) };
}

function standing(skill: Skill): Outcome<StandingSkill> {
  const { path: file, bytes } = documentOf(skill);
  const place: DocumentPlace = { skill: skill.path, file };
  const text = decodeDocument(bytes, place);
  if (!text.ok) return text;
  const read = readDocument(text.value, place);
  if (!read.ok) return read;
  const { document, frontmatter } = read.value;
  const { name, description } = document.fields;
  const warnings = new Warnings();
  const values = (frontmatter?.pairs ?? []).flatMap(({ key, value, line, column }) => {
    const json = readJson(value, { key, line, column, warnings });
    return json === undefined ? [] : [[key, json] as const];
  });
  return {
    ok: true,
    value: {
      ...{ path: skill.path, name, description },
      // fromEntries defines its keys: `__proto__` is one like any other.
      frontmatter: Object.fromEntries(values),
      frontmatterSource: document.frontmatterSource,
      body: document.body,
      files: skill.entries,
      digest: digestSkill(skill),
    },
  };
}
