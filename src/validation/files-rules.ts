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
    ...(keepsModes ? entries.flatMap(modeMarks) : []),
    ...unmentioned(subject).map((file): Mark => ({ rule: 'file-not-mentioned', file })),
    ...texts.flatMap(({ file, text }) =>
      textMarks(file, text, file === document.file ? document.lines : undefined),
    ),
  ];
}

function modeMarks({ path: file, bytes, executable }: Entry): readonly Mark[] {
  const hasShebang = bytes.subarray(0, 2).toString() === '#!';
  const at = { file, line: 1, column: 1 };
  // `#![…]` begins a file of Rust.
  if (hasShebang && !executable && bytes[2] !== 0x5b) return [{ rule: 'script-not-executable', ...at }];
  const isText = bytes.length > 0 && !isBinary(bytes);
  return executable && !hasShebang && isText ? [{ rule: 'script-without-shebang', ...at }] : [];
}

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
  /^(?:licen[cs]e|notice|copying|readme|changelog|contributing|authors)\b|^\.|^__init__\.py$|^(?:package|package-lock|tsconfig)\.json$|^requirements[\w-]*\.txt$|^pyproject\.toml$/i;

/** Folders whose files serve a program that reads skills, or who tests them. */
const knownFolder = /^(?:agents|evals?|tests?)\//;

/** The files whose path, name, stem or folder no text of the skill holds. */
function unmentioned({ entries, texts, document }: Subject): readonly string[] {
  const asked = entries
    .map(({ path }) => path)
    .filter((path) => path !== document.file && !knownByName.test(nameOf(path)) && !knownFolder.test(path));
  if (asked.length === 0) return [];
  const words = new Map<string, string | null>();
  for (const { file, text } of texts) {
    for (const [word] of text.matchAll(/[\p{L}\p{N}_.@/-]+/gu)) {
      for (const part of partsOf(word)) {
        // What a file says of itself counts for nothing.
        const said = words.get(part);
        words.set(part, said === undefined || said === file ? file : null);
      }
    }
  }
  const isSaid = (text: string, file: string) => {
    const by = words.get(text);
    return by !== undefined && by !== file;
  };
  return asked.filter((path) => {
    const name = nameOf(path);
    const stem = name.slice(0, Math.max(1, name.lastIndexOf('.')));
    return ![name, stem, ...foldersAbove(path).map(nameOf)].some((text) => isSaid(text, path));
  });
}

/** The names that a word may be about: those of its path, each with and without what follows a dot. */
function partsOf(word: string): readonly string[] {
  const trimmed = word.replace(/[.-]$/, '');
  const names = trimmed.split('/').filter((name) => name !== '');
  return names.flatMap((name) => [name, ...(name.includes('.') ? name.split('.') : [])]);
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
