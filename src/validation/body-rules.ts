// What is asked of a document's body, and of the links of all markdown in a skill.

import { foldersAbove } from '../skill/path.ts';
import type { Mark } from './finding.ts';
import { type Link, linksOf, resolveLink } from './links.ts';
import type { Subject } from './subject.ts';

const lineLimit = 500;
const tokenLimit = 5000;

export function bodyMarks({ document }: Subject): readonly Mark[] {
  const { file, split, bodyLine } = document;
  const body = split.body.trimEnd();
  if (body === '') return [{ rule: 'body-empty', file, line: bodyLine, column: 1 }];
  const marks: Mark[] = [];
  const lines = body.split('\n').length;
  if (lines > lineLimit) {
    const line = bodyLine + lineLimit;
    marks.push({ rule: 'body-too-many-lines', file, line, column: 1, length: lines, limit: lineLimit });
  }
  const tokens = estimatedTokens(body);
  if (tokens > tokenLimit) {
    marks.push({
      rule: 'body-too-many-tokens',
      file,
      line: bodyLine,
      column: 1,
      length: tokens,
      limit: tokenLimit,
    });
  }
  return marks;
}

/** Four characters of ASCII are about one token, and so is one character of most other scripts. */
function estimatedTokens(text: string): number {
  const bytes = Buffer.byteLength(text);
  // Of a character outside ASCII there are two to four bytes, and one or two UTF-16 units.
  const others = (bytes - text.length) / 2;
  return Math.round((text.length - others) / 4 + others);
}

/** A link that leads to no file of the skill. */
interface LostLink extends Link {
  readonly file: string;
  /** From the skill's folder; undefined where it leads out of it. */
  readonly target: string | undefined;
}

/** The links of all markdown that lead to no file of the skill, nor to a folder that has one. */
function lostLinks({ texts, entries }: Subject): readonly LostLink[] {
  const there = new Set<string>();
  for (const { path } of entries) for (const place of [...foldersAbove(path), path]) there.add(place);
  return texts.flatMap(({ file, text }) =>
    !file.toLowerCase().endsWith('.md')
      ? []
      : linksOf(text).flatMap((link) => {
          const target = resolveLink(file, link.path);
          // The specification counts from the skill's folder, markdown from the file's own.
          const isThere = [target, resolveLink('', link.path)].some(
            (path) => path !== undefined && (path === '' || there.has(path)),
          );
          return isThere ? [] : [{ ...link, file, target }];
        }),
  );
}

/** Where files would have to be that are no part of the skill, from its folder: of a nested skill, or ignored. */
export function lostTargets(subject: Subject): readonly string[] {
  const targets = lostLinks(subject).flatMap(({ target, path }) => [target, resolveLink('', path)]);
  return [...new Set(targets.filter((target) => target !== undefined))];
}

/** @param standing which of the {@link lostTargets} are there all the same */
export function linkMarks(subject: Subject, standing: ReadonlySet<string>): readonly Mark[] {
  return lostLinks(subject).flatMap(({ file, line, column, text, path, target }): readonly Mark[] => {
    const at = { file, line, column, link: text };
    if (target === undefined) return [{ rule: 'link-leads-outside', ...at }];
    const isThere = standing.has(target) || standing.has(resolveLink('', path) ?? '');
    return isThere ? [] : [{ rule: 'link-not-found', ...at }];
  });
}
