// What is asked of a skill's files: scripts that can run, texts that hold nothing private, files with a purpose.

import { SourceLines } from '../document/source-lines.ts';
import { foldersAbove } from '../skill/path.ts';
import type { Entry } from '../skill/skill.ts';
import type { Mark } from './finding.ts';
import { privatePaths, secretsOf } from './private-text.ts';
import { isBinary, type Subject, spotAt } from './subject.ts';

/** Bytes of all files together that can be uploaded to the Claude API. */
const uploadLimit = 30 * 1024 * 1024;

/** @param keepsModes whether the file system tells which files are executable */
export function fileMarks(subject: Subject, keepsModes: boolean): readonly Mark[] {
  const { entries, texts, document } = subject;
  const bytes = entries.reduce((sum, entry) => sum + entry.bytes.length, 0);
  return [
    ...(bytes > uploadLimit ? [{ rule: 'skill-too-large', bytes, limit: uploadLimit } as const] : []),
    ...(keepsModes ? modeMarks(subject) : []),
    ...unmentioned(subject).map((file): Mark => ({ rule: 'file-not-mentioned', file })),
    ...texts.flatMap(({ file, text }) =>
      textMarks(file, text, file === document.file ? document.lines : undefined),
    ),
  ];
}

function modeMarks({ entries, texts }: Subject): readonly Mark[] {
  const marks = entries.flatMap(modeMark);
  // A script that its program runs needs no bit.
  if (!marks.some(({ rule }) => rule === 'script-not-executable')) return marks;
  const run = new Set(
    texts.flatMap(({ text }) => [...text.matchAll(runOfScript)].map(([, path = '']) => nameOf(path))),
  );
  return marks.filter(({ rule, file }) => rule !== 'script-not-executable' || !run.has(nameOf(file ?? '')));
}

function modeMark({ path: file, bytes, executable }: Entry): readonly Mark[] {
  const hasShebang = bytes.subarray(0, 2).toString() === '#!';
  const at = { file, line: 1, column: 1 };
  // `#![…]` begins a file of Rust.
  if (hasShebang && !executable && bytes[2] !== 0x5b) return [{ rule: 'script-not-executable', ...at }];
  const isText = bytes.length > 0 && !isBinary(bytes);
  return executable && !hasShebang && isText ? [{ rule: 'script-without-shebang', ...at }] : [];
}

/** A program that runs scripts, its options, and the script. */
const runOfScript =
  /(?<![\w.-])(?:python[\d.]*|uv|poetry|pipx|(?:ba|z|da|k)?sh|source|node|bun|deno|tsx|ts-node|ruby|perl|php|pwsh|Rscript|lua)[ \t]+(?:(?:-[^\s`]*|run|exec|python[\d.]*)[ \t]+)*["']?([^\s"'`]+)/g;

function textMarks(file: string, text: string, known: SourceLines | undefined): readonly Mark[] {
  let lines = known;
  const at = (offset: number) => {
    // Most texts have nothing to be found.
    lines ??= new SourceLines(text);
    return spotAt(file, lines, offset);
  };
  return [
    ...secretsOf(text).map(({ kind, offset }): Mark => ({ rule: 'secret-likely', ...at(offset), kind })),
    ...privatePaths(text).map(({ path, offset }): Mark => ({ rule: 'machine-path', ...at(offset), path })),
    ...lineEndingMarks(text, at),
  ];
}

function lineEndingMarks(
  text: string,
  at: (offset: number) => Required<Pick<Mark, 'file'>>,
): readonly Mark[] {
  if (!text.includes('\r\n')) return [];
  const counts = { lf: 0, crlf: 0 };
  const first = { lf: -1, crlf: -1 };
  for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', end + 1)) {
    const kind = text[end - 1] === '\r' ? 'crlf' : 'lf';
    if (counts[kind]++ === 0) first[kind] = end;
  }
  if (counts.lf === 0) return [];
  return [{ rule: 'line-endings-mixed', ...at(first[counts.lf < counts.crlf ? 'lf' : 'crlf']), ...counts }];
}

/** Files that people and programs look for by their names. */
const knownByName =
  /^(?:licen[cs]e|notice|copying|readme|changelog|contributing|authors)\b|^\.|^__init__\.py$|^(?:package|package-lock|tsconfig|_meta)\.json$|^requirements[\w-]*\.txt$|^pyproject\.toml$/i;

/** Folders whose files serve a program that reads skills, or who tests them. */
const knownFolder = /^(?:agents|evals?|tests?)\//;

/** The files whose name, stem or folder no other text of the skill holds. */
function unmentioned({ entries, texts, document }: Subject): readonly string[] {
  const asked = entries
    .map(({ path }) => path)
    .filter((path) => path !== document.file && !knownByName.test(nameOf(path)) && !knownFolder.test(path))
    .map((path) => ({ path, words: wordsFor(path) }));
  if (asked.length === 0) return [];
  const said = whoSays(new Set(asked.flatMap(({ words }) => words)), texts);
  const silent = asked
    // What a file says of itself counts for nothing.
    .filter(({ path, words }) => !words.some((word) => said.has(word) && said.get(word) !== path))
    .map(({ path }) => path);
  // Each of these is looked for in all texts. Of very many nothing is said.
  const spelled = silent.filter((path) => nameOf(path).replace(word, '') !== '');
  const isSpelledOut = new Set(
    spelled.filter((path) => spelled.length > maxSpelled || standsIn(path, texts)),
  );
  return silent.filter((path) => !isSpelledOut.has(path));
}

/** What a text may call a file: its name, that without its extension, or a folder that it is in. */
function wordsFor(path: string): readonly string[] {
  const name = nameOf(path);
  return [name, name.slice(0, name.lastIndexOf('.')), ...foldersAbove(path).map(nameOf)].filter(
    (word) => word !== '',
  );
}

const word = /[\p{L}\p{N}_@-]+(?:\.[\p{L}\p{N}_@-]+)*/gu;

const fewWords = 100;

/** Which of the words stand in the texts: each with the file that holds it, or null for several. */
function whoSays(words: ReadonlySet<string>, texts: Subject['texts']): ReadonlyMap<string, string | null> {
  const said = new Map<string, string | null>();
  for (const { file, text } of texts) {
    // Most texts hold none of few words, which is told without taking them apart.
    if (words.size <= fewWords && ![...words].some((one) => text.includes(one))) continue;
    const note = (found: string) => {
      if (words.has(found)) said.set(found, said.has(found) && said.get(found) !== file ? null : file);
    };
    for (const [found] of text.matchAll(word)) {
      note(found);
      // `python -m tools.extract` runs tools/extract.py.
      if (found.includes('.')) for (const part of found.split('.')) note(part);
    }
  }
  return said;
}

/** So many names that are more than a word are looked for. */
const maxSpelled = 100;

/** Whether a name stands in another file's text, as it is or as a link has it. */
function standsIn(path: string, texts: Subject['texts']): boolean {
  const spellings = [nameOf(path), encodeURI(nameOf(path))];
  return texts.some(
    ({ file, text }) => file !== path && spellings.some((spelling) => text.includes(spelling)),
  );
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
