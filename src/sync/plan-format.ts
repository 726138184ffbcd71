// The format of a saved plan, one JSON document: what may stand in it, and the one way in which it is written.

import { constants, isUtf8 } from 'node:buffer';
import { z } from 'zod';
import type { Outcome } from '../problem.ts';
import type { PlannedChange, Side } from '../reconcile/plan.ts';
import type { Direction } from '../replica.ts';
import { type Digest, parseDigest } from '../skill/digest.ts';
import { type FilePath, parseFilePath, parseSkillPath, type SkillPath } from '../skill/path.ts';
import type { Entry } from '../skill/skill.ts';

/** What every version of the format begins with. */
export const formatName = 'skill-fleet plan';

/** The version that is written, and the only one that is read. */
export const formatVersion = 1;

type ReadonlyDeep<T> = T extends string | number | null | undefined
  ? T
  : { readonly [K in keyof T]: ReadonlyDeep<T[K]> };

/** A string that a parser of ours takes, which gives it its type. */
function parsed<T extends string>(
  whyNot: (text: string) => string | undefined,
  about: z.core.GlobalMeta,
): z.ZodType<T> {
  const schema: unknown = z
    .string()
    .refine((text) => whyNot(text) === undefined, { error: ({ input }) => whyNot(String(input)) })
    .meta(about);
  return schema as z.ZodType<T>;
}

function whyNotPath(path: Outcome<string>): string | undefined {
  if (path.ok) return undefined;
  return 'why' in path.problem ? path.problem.why : path.problem.reason;
}

const skillPath = parsed<SkillPath>((text) => whyNotPath(parseSkillPath(text)), {
  maxLength: 512,
  description: 'The folder of a skill, relative to the skills directory.',
});

const filePath = parsed<FilePath>((text) => whyNotPath(parseFilePath('' as SkillPath, text)), {
  maxLength: 512,
  description: 'Where the file stands in its skill.',
});

const digest = parsed<Digest>((text) => (parseDigest(text) ? undefined : 'it is no digest'), {
  pattern: '^[0-9a-f]{64}$',
  description: "SHA-256 of a skill's content, in hexadecimal.",
});

const text = z.string().max(4096);
/** Windows has the longest. */
const directory = z.string().min(1).max(32_768);
const commit = z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/);

// Each enumeration has to name every value of its type, and no other.
const sides: { readonly [S in Side]: S } = { files: 'files', database: 'database' };
const directions: { readonly [D in Direction]: D } = { export: 'export', import: 'import', sync: 'sync' };
const whys: { readonly [W in PlannedChange['why']]: W } = {
  new: 'new',
  edited: 'edited',
  older: 'older',
  renamed: 'renamed',
  deleted: 'deleted',
  forced: 'forced',
  undone: 'undone',
  newer: 'newer',
  preferred: 'preferred',
  'edit-over-deletion': 'edit-over-deletion',
  merged: 'merged',
  resolved: 'resolved',
};

const headShape = {
  format: z.literal(formatName),
  version: z.literal(formatVersion),
  made: z
    .strictObject({
      at: z.iso.datetime(),
      by: text,
      host: text,
      version: text.describe('The version of skill-fleet.'),
    })
    .describe('When, by whom and with what the plan was saved.'),
  files: z
    .strictObject({
      host: text,
      directory: directory.describe('The skills directory, absolute.'),
      git: z
        .strictObject({
          repository: commit
            .nullable()
            .describe('The root commit, which tells the repository; null in a shallow clone.'),
          directory: z.string().max(32_768).describe('The skills directory in the repository.'),
          commit: commit.describe('HEAD.'),
        })
        .nullable()
        .describe('Null where git does not know the skills directory.'),
    })
    .describe('The skills directory that the plan is about.'),
  database: z
    .strictObject({
      id: text.nullable().describe('Null where it held no library yet.'),
      kind: text,
      host: text,
      name: text,
    })
    .describe('The database that the plan is about: where it is, and nothing secret.'),
  direction: z.enum(directions),
};

const planHead = z.strictObject(headShape);

/** When and between whom a plan was made, and which sides it may change. */
export type PlanHeader = Omit<ReadonlyDeep<z.output<typeof planHead>>, 'format' | 'version'>;

const savedChange = z.strictObject({
  path: skillPath,
  side: z.enum(sides).describe('The side that changes.'),
  why: z.enum(whys),
  before: digest.nullable().describe('What that side holds before; null is nothing.'),
  after: digest.nullable().describe('What it holds after; null is nothing.'),
  from: skillPath.exactOptional().describe('Where the skill stands before, if elsewhere.'),
  formerly: skillPath
    .exactOptional()
    .describe('Where both sides held it when they last agreed, if elsewhere.'),
  skillId: z
    .int()
    .min(1)
    .max(2 ** 31 - 1)
    .exactOptional()
    .describe('The row that is changed, or that the files belong to.'),
  origin: z
    .literal('database')
    .exactOptional()
    .describe("Whose wish a change of the database is, where it is not the files'."),
  changedAt: z.iso
    .datetime()
    .exactOptional()
    .describe('When the files that go to the database were changed.'),
  content: z
    .strictObject({ side: z.enum(sides), path: skillPath })
    .exactOptional()
    .describe('Which side held what it brings, and where, if that is not the other side at this path.'),
});

/** A change of one skill on one side, as a plan keeps it. */
export type SavedChange = ReadonlyDeep<z.output<typeof savedChange>>;

const savedEntry = z.union([
  z.strictObject({
    path: filePath,
    executable: z.boolean(),
    text: z.string().describe('The bytes, where they are UTF-8.'),
  }),
  z.strictObject({
    path: filePath,
    executable: z.boolean(),
    base64: z.string().meta({ contentEncoding: 'base64', description: 'The bytes, where they are not.' }),
  }),
]);

const savedContent = z.strictObject({ digest, entries: z.array(savedEntry).min(1) });

/** A plan as one document. */
export const planDocument = z
  .strictObject({
    ...headShape,
    contents: z.array(savedContent).describe('What the changes bring, each content once.'),
    changes: z.array(savedChange),
    checksum: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .describe('SHA-256 of all bytes of the file before the line that this stands in, in hexadecimal.'),
  })
  .meta({ title: 'A saved plan of skill-fleet' });

/** What a line says, or why it says nothing. */
export type LineOutcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly why: string };

/** As much of an explanation as is told: what a stranger wrote may be part of it. */
const maxWhy = 200;

const notAsWritten = 'it is not as skill-fleet writes it';

function checkedLine<T>(schema: z.ZodType<T>, line: string): LineOutcome<T> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { ok: false, why: 'it is no JSON' };
  }
  const checked = schema.safeParse(value);
  if (checked.success) return { ok: true, value: checked.data };
  const [issue] = checked.error.issues;
  const why = issue ? `${issue.path.join('.')}${issue.path.length > 0 ? ': ' : ''}${issue.message}` : '';
  return { ok: false, why: why.slice(0, maxWhy) };
}

/** A line that says what it may, in the one way to say it: so no key is there twice, and none is overlooked. */
function readLine<T>(schema: z.ZodType<T>, line: Buffer): LineOutcome<T> {
  const read = checkedLine(schema, line.toString());
  const isAsWritten = read.ok && line.equals(Buffer.from(JSON.stringify(read.value)));
  return read.ok && !isAsWritten ? { ok: false, why: notAsWritten } : read;
}

/** The first line without its comma. A header that is none is a bug of whoever made it, and throws. */
export function headerText(header: PlanHeader): string {
  const head = planHead.parse({ format: formatName, version: formatVersion, ...header });
  return JSON.stringify(head).slice(0, -1);
}

export function readHeader(line: Buffer): LineOutcome<PlanHeader> {
  const read = readLine(planHead, Buffer.concat([line, Buffer.from('}')]));
  if (!read.ok) return read;
  const { made, files, database, direction } = read.value;
  return { ok: true, value: { made, files, database, direction } };
}

/** A change's line without its comma. A change that is none is a bug of whoever made it, and throws. */
export function changeText(change: SavedChange): string {
  return JSON.stringify(savedChange.parse(change));
}

export function readChange(line: Buffer): LineOutcome<SavedChange> {
  return readLine(savedChange, line);
}

/** The longest line that can be read again: no string holds more. */
export const maxLineLength = constants.MAX_STRING_LENGTH;

/** The largest file of which both forms surely are a string: a control character takes six in JSON. */
const maxTextBytes = Math.floor(maxLineLength / 8);

function entryText({ path, executable, bytes }: Entry): string {
  return bytes.length <= maxTextBytes && isUtf8(bytes)
    ? JSON.stringify({ path, executable, text: bytes.toString() })
    : JSON.stringify({ path, executable, base64: bytes.toString('base64') });
}

/** How a content's line begins: as much of it is looked at without reading it. */
export function contentStart(of: Digest): string {
  return `{"digest":"${of}","entries":[`;
}

/** A content's line without its comma, file by file. */
export function* contentPieces(of: Digest, entries: readonly Entry[]): Generator<Buffer> {
  yield Buffer.from(contentStart(of));
  for (const [index, entry] of entries.entries()) {
    yield Buffer.from(`${index === 0 ? '' : ','}${entryText(entry)}`);
  }
  yield Buffer.from(']}');
}

export function readContent(line: Buffer): LineOutcome<readonly Entry[]> {
  const read = checkedLine(savedContent, line.toString());
  if (!read.ok) return read;
  const entries = read.value.entries.map(({ path, executable, ...content }): Entry => {
    const bytes = 'text' in content ? Buffer.from(content.text) : Buffer.from(content.base64, 'base64');
    return { path, executable, bytes };
  });
  let at = 0;
  for (const piece of contentPieces(read.value.digest, entries)) {
    if (!line.subarray(at, at + piece.length).equals(piece)) return { ok: false, why: notAsWritten };
    at += piece.length;
  }
  return at === line.length ? { ok: true, value: entries } : { ok: false, why: notAsWritten };
}
