// Mends what can be mended without a person: a fix counts where its rule is silent afterwards, nothing else is found,
// and the document says the same.

import { isDeepStrictEqual } from 'node:util';
import type { Fields } from '../document/fields.ts';
import { type Splice, spliced } from '../document/splice.ts';
import { Literal, type Value } from '../document/yaml.ts';
import type { FilePath } from '../skill/path.ts';
import { type Entry, makeSkill } from '../skill/skill.ts';
import type { Finding } from './finding.ts';
import { type Edit, fixes, fixOrder } from './fixes.ts';
import type { FixableRule, RuleName } from './rules.ts';
import { readSubject, type Subject } from './subject.ts';

/** A skill, and what is found in it. */
export interface Judged {
  readonly subject: Subject;
  readonly findings: readonly Finding[];
}

/** Finds what is wrong with a skill. */
export type Judge = (subject: Subject) => readonly Finding[];

/** One fix may give another its chance: a comment is unused once its rule has nothing to find. */
const maxRounds = 3;

/** Findings of one rule that are tried each by itself, where all at once do not count. */
const maxTries = 50;

/**
 * The skill with all of its findings mended that can be; itself where none can.
 *
 * @param takes which of them are to be mended
 */
export function mend(judged: Judged, judge: Judge, takes: (finding: Finding) => boolean): Judged {
  let current = judged;
  for (let round = 0; round < maxRounds; round++) {
    const before = current;
    for (const rule of fixOrder) current = mendRule(current, rule, judge, takes);
    if (current === before) break;
  }
  return current;
}

/** Those of the first findings that the others lack, as far as they tell one from another. */
export function mendedOf(before: Judged, after: Judged): readonly Finding[] {
  if (before === after) return [];
  const left = [...after.findings];
  const take = (isOne: (one: Finding) => boolean) => {
    const at = left.findIndex(isOne);
    if (at !== -1) left.splice(at, 1);
    return at !== -1;
  };
  const fileOf = ({ file }: Finding, { document }: Subject) => (file === document.file ? '' : file);
  const gone = before.findings.filter(
    (finding) =>
      !take(
        (one) =>
          one.rule === finding.rule &&
          one.what === finding.what &&
          fileOf(one, after.subject) === fileOf(finding, before.subject),
      ),
  );
  return gone.filter((finding) => !take(({ rule }) => rule === finding.rule));
}

function mendRule(
  judged: Judged,
  rule: FixableRule,
  judge: Judge,
  takes: (finding: Finding) => boolean,
): Judged {
  const foundIn = ({ findings }: Judged) => findings.filter((one) => one.rule === rule && takes(one));
  const found = foundIn(judged);
  if (found.length === 0) return judged;
  const all = tried(judged, rule, found, judge);
  if (all !== undefined || found.length === 1) return all ?? judged;
  let current = judged;
  for (let tries = 0, at = 0; tries < maxTries; tries++) {
    const one = foundIn(current)[at];
    if (one === undefined) break;
    const next = tried(current, rule, [one], judge);
    if (next === undefined) at++;
    else current = next;
  }
  return current;
}

/** The skill with findings of a rule mended; undefined where they are not, or more than that comes of it. */
function tried(
  judged: Judged,
  rule: FixableRule,
  found: readonly Finding[],
  judge: Judge,
): Judged | undefined {
  const edits = fixes[rule](judged.subject, found);
  const subject = edits.length === found.length ? edited(judged.subject, edits) : undefined;
  if (subject === undefined || !saysTheSame(judged.subject, subject, rule)) return undefined;
  const after = { subject, findings: judge(subject) };
  return isBetter(judged, after, rule, found.length) ? after : undefined;
}

function isBetter(before: Judged, after: Judged, rule: RuleName, mended: number): boolean {
  const counts = new Map<RuleName, number>();
  for (const one of before.findings) counts.set(one.rule, (counts.get(one.rule) ?? 0) + 1);
  counts.set(rule, (counts.get(rule) ?? 0) - mended);
  // A comment that disables what is mended now has a fix of its own.
  for (const one of after.findings)
    if (one.rule !== 'disable-unused' || one.rule === rule)
      counts.set(one.rule, (counts.get(one.rule) ?? 0) - 1);
  return [...counts.values()].every((count) => count >= 0);
}

/** Undefined where edits are of the same place, or the document can no more be read. */
function edited(subject: Subject, edits: readonly Edit[]): Subject | undefined {
  const byFile = new Map<string, Edit[]>();
  for (const edit of edits) byFile.set(edit.file, [...(byFile.get(edit.file) ?? []), edit]);
  const entries = subject.entries.map((entry) => {
    const own = byFile.get(entry.path);
    return own === undefined ? entry : editedEntry(entry, own);
  });
  if (entries.includes(undefined)) return undefined;
  const read = readSubject(makeSkill(subject.path, entries as readonly Entry[]));
  return read.ok ? read.value : undefined;
}

function editedEntry(entry: Entry, edits: readonly Edit[]): Entry | undefined {
  const splices = edits.flatMap((edit) => edit.splices ?? []);
  if (overlap(splices)) return undefined;
  const name = edits.find((edit) => edit.name !== undefined)?.name;
  return {
    path: name === undefined ? entry.path : (name as FilePath),
    executable: entry.executable || edits.some(({ executable }) => executable),
    bytes: splices.length === 0 ? entry.bytes : Buffer.from(spliced(entry.bytes.toString(), splices)),
  };
}

function overlap(splices: readonly Splice[]): boolean {
  const sorted = splices.toSorted((a, b) => a.start - b.start || a.end - b.end);
  return sorted.some(({ start }, index) => start < (sorted[index - 1]?.end ?? 0));
}

// ---- what a document says ----

/** What a rule is about: a field that may become another, a key that may be written otherwise. */
const subjects: {
  readonly [R in FixableRule]?: { readonly field?: keyof Fields; readonly key?: string };
} = {
  'name-missing': { field: 'name', key: 'name' },
  'name-differs-from-folder': { field: 'name', key: 'name' },
  'field-not-quoted': { field: 'extra' },
  'metadata-value-not-quoted': { field: 'extra' },
  'allowed-tools-list': { key: 'allowed-tools' },
  'allowed-tools-commas': { key: 'allowed-tools' },
};

/** The rules whose fix may touch what follows the frontmatter. */
const ofBody: readonly FixableRule[] = ['line-endings-mixed', 'disable-unused'];

/** Whether two documents say the same, but for what a rule is about. */
function saysTheSame(
  { document: before }: Subject,
  { document: after }: Subject,
  rule: FixableRule,
): boolean {
  const { field, key: own } = subjects[rule] ?? {};
  const fields = field === undefined ? after.fields : { ...after.fields, [field]: before.fields[field] };
  const [old, now] = [before.frontmatter?.pairs ?? [], after.frontmatter?.pairs ?? []];
  const values = new Map(now.map(({ key, value }) => [key, value]));
  const isQuoting = field === 'extra';
  return (
    isDeepStrictEqual(fields, before.fields) &&
    (ofBody.includes(rule) || before.split.body === after.split.body) &&
    old.every(({ key, value }) => key === own || isSame(value, values.get(key), isQuoting)) &&
    [...values.keys()].filter((key) => key !== own).length === old.filter(({ key }) => key !== own).length
  );
}

/** @param isQuoting whether a number or boolean may be the text that it was written as */
function isSame(a: Value, b: Value | undefined, isQuoting: boolean): boolean {
  if (a instanceof Literal) {
    return b instanceof Literal ? a.source === b.source : isQuoting && b === a.source;
  }
  if (Array.isArray(a)) {
    return (
      Array.isArray(b) && a.length === b.length && a.every((item, index) => isSame(item, b[index], isQuoting))
    );
  }
  if (!(a instanceof Map)) return a === b;
  return (
    b instanceof Map &&
    a.size === b.size &&
    [...a].every(([key, value]) => isSame(value, b.get(key), isQuoting))
  );
}
