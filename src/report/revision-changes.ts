// What one state of a skill changed of another, in a few words.

import { diffLines } from 'diff';
import { readFrontmatter } from '../document/frontmatter.ts';
import { splitDocument } from '../document/split.ts';
import type { Value } from '../document/yaml.ts';
import { documentOf, type Entry, type Skill } from '../skill/skill.ts';

/** What became different from one state of a skill to the next. */
export interface RevisionChanges {
  /** Where it stood, and where it stands, if elsewhere. */
  readonly path?: { readonly from: string; readonly to: string };
  /** Keys of the frontmatter whose values differ; those of a map behind a point: `metadata.version`. */
  readonly values: readonly string[];
  /** What else of the document differs: how the same values are written, its name, its executable bit. */
  readonly form: readonly ('frontmatter layout' | 'name of the document' | 'mode of the document')[];
  /** Lines of the body. */
  readonly body?: Lines;
  /** Attached files. */
  readonly files: { readonly added: number; readonly changed: number; readonly removed: number };
}

interface Lines {
  readonly added: number;
  readonly removed: number;
}

/** Edits beyond this are not worth finding: every line counts as changed. Bounds the search's time. */
const maxEditLength = 2000;

/** Compares two states of one skill. */
export function compareRevisions(before: Skill, after: Skill): RevisionChanges {
  const [old, now] = [documentOf(before), documentOf(after)];
  const [oldText, nowText] = [splitDocument(old.bytes.toString()), splitDocument(now.bytes.toString())];
  const values = changedKeys(valuesOf(before, old), valuesOf(after, now));
  const isRewritten = values.length === 0 && oldText.frontmatterSource !== nowText.frontmatterSource;
  return {
    ...(before.path !== after.path && { path: { from: before.path, to: after.path } }),
    values,
    form: [
      ...(isRewritten ? (['frontmatter layout'] as const) : []),
      ...(old.path === now.path ? [] : (['name of the document'] as const)),
      ...(old.executable === now.executable ? [] : (['mode of the document'] as const)),
    ],
    ...(oldText.body !== nowText.body && { body: compareLines(oldText.body, nowText.body) }),
    files: compareFiles(attached(before, old), attached(after, now)),
  };
}

/** `description, metadata.version, body +3 -1, files +1 ~2 -1, old/path -> new/path`. */
export function changesText({ path, values, form, body, files }: RevisionChanges): string {
  const count = (sign: string, of: number) => (of > 0 ? [`${sign}${of}`] : []);
  const fileCounts = [
    ...count('+', files.added),
    ...count('~', files.changed),
    ...count('-', files.removed),
  ].join(' ');
  const parts = [
    ...(path ? [`${path.from} -> ${path.to}`] : []),
    ...values,
    ...form,
    ...(body ? [`body +${body.added} -${body.removed}`] : []),
    ...(fileCounts === '' ? [] : [`files ${fileCounts}`]),
  ];
  return parts.length === 0 ? 'same content' : parts.join(', ');
}

/** The frontmatter's values, each as text; none where no reading makes a map of it. */
function valuesOf({ path }: Skill, document: Entry): ReadonlyMap<string, string> {
  const { yaml } = splitDocument(document.bytes.toString());
  const read = yaml && readFrontmatter(yaml.text, { skill: path, file: document.path });
  if (!read?.ok) return new Map();
  return new Map(
    read.value.pairs.flatMap(({ key, value, pairs }) =>
      pairs.length === 0
        ? [[key, valueText(value)] as const]
        : pairs.map((inner) => [`${key}.${inner.key}`, valueText(inner.value)] as const),
    ),
  );
}

function valueText(value: Value): string {
  return JSON.stringify(value, (_, part) => (part instanceof Map ? { map: [...part] } : part));
}

function changedKeys(old: ReadonlyMap<string, string>, now: ReadonlyMap<string, string>): readonly string[] {
  return [...new Set([...now.keys(), ...old.keys()])].filter((key) => old.get(key) !== now.get(key));
}

function compareLines(old: string, now: string): Lines {
  const parts = diffLines(old, now, { maxEditLength });
  if (parts === undefined) return { added: linesIn(now), removed: linesIn(old) };
  const sum = (counted: typeof parts) => counted.reduce((lines, part) => lines + part.count, 0);
  return {
    added: sum(parts.filter((part) => part.added)),
    removed: sum(parts.filter((part) => part.removed)),
  };
}

function linesIn(text: string): number {
  return text.split('\n').length - (text.endsWith('\n') || text === '' ? 1 : 0);
}

function attached(skill: Skill, document: Entry): ReadonlyMap<string, Entry> {
  return new Map(
    skill.entries.flatMap((entry) => (entry === document ? [] : [[entry.path, entry] as const])),
  );
}

function compareFiles(
  old: ReadonlyMap<string, Entry>,
  now: ReadonlyMap<string, Entry>,
): RevisionChanges['files'] {
  const stayed = [...now.values()].flatMap((entry) => {
    const former = old.get(entry.path);
    return former ? [[former, entry] as const] : [];
  });
  return {
    added: now.size - stayed.length,
    changed: stayed.filter(
      ([former, entry]) => former.executable !== entry.executable || !former.bytes.equals(entry.bytes),
    ).length,
    removed: old.size - stayed.length,
  };
}
