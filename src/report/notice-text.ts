// What was left out of a run, and is no problem, as lines for people.

import type { NamedRun, Notice } from '../notice.ts';
import { counted } from './counted.ts';
import { printableLine } from './terminal-text.ts';
import { timeText } from './time-text.ts';

/** Paths that a notice names under `--verbose`. */
const maxShown = 50;

type Counted = Exclude<
  Notice,
  {
    readonly notice:
      | 'root-document'
      | 'shallow-clone'
      | 'trash'
      | 'trash-emptied'
      | 'undoes'
      | 'undo-elsewhere';
  }
>;

const texts: { readonly [N in Counted['notice']]: (count: number) => string } = {
  links: (count) => `${counted(count, 'symbolic link')} neither followed nor synced`,
  secrets: (count) => `${counted(count, 'file')} not synced: by name ${count === 1 ? 'a secret' : 'secrets'}`,
  'held-secrets': (count) =>
    `${counted(count, 'file')} synced though by name a secret: the other side has it`,
  unresolved: (count) =>
    `${counted(count, 'dependency or reference', 'dependencies or references')} on no skill yet`,
  'special-files': (count) =>
    `${counted(count, 'pipe, socket or device', 'pipes, sockets or devices')} not synced`,
  finished: (count) => `${counted(count, 'skill')} written to the end: an earlier run was interrupted`,
  ignored: (count) => `${counted(count, 'file or folder', 'files and folders')} ignored`,
};

/** A notice in a line, and under `--verbose` the paths that it is about. */
export function noticeLines(notice: Notice, isVerbose: boolean): string {
  if (notice.notice === 'root-document') {
    return (
      `note: ${printableLine(notice.file)} stands in the skills directory itself and is not synced; ` +
      `point --skills-dir at ${printableLine(notice.pointAt)}\n`
    );
  }
  if (notice.notice === 'shallow-clone') {
    return (
      'note: this clone is shallow, so that git cannot tell who is ahead: git fetch --unshallow, ' +
      'or fetch-depth: 0 of actions/checkout\n'
    );
  }
  if (notice.notice === 'trash') {
    return (
      `note: ${counted(notice.count, 'skill')} removed from the files, to be found in ${printableLine(notice.folder)}\n` +
      `  They come back with: skill-fleet undo ${notice.run}\n`
    );
  }
  if (notice.notice === 'trash-emptied') {
    const runs = counted(notice.count, 'run');
    return `note: the trash of ${runs} emptied: removed from the files more than ${notice.days} days ago\n`;
  }
  if (notice.notice === 'undoes') return `note: this takes back what ${runText(notice.run)} did\n`;
  if (notice.notice === 'undo-elsewhere') {
    const { host, directory } = notice.run;
    return (
      `note: ${counted(notice.count, 'change')} of files not taken back: the run made them in ` +
      `${printableLine(directory)} on ${printableLine(host)}; run undo there\n`
    );
  }
  const text = `note: ${texts[notice.notice](notice.count)}`;
  if (!('paths' in notice)) return `${text}\n`;
  const [first = '', ...others] = notice.paths;
  if (!isVerbose) {
    const more = others.length > 0 ? `, and ${notice.count - 1} more` : '';
    return `${text}: ${printableLine(first)}${more}\n`;
  }
  const shown = notice.paths.slice(0, maxShown).map((path) => `  ${printableLine(path)}\n`);
  const hidden = notice.count - shown.length;
  return [`${text}\n`, ...shown, ...(hidden > 0 ? [`  and ${hidden} more\n`] : [])].join('');
}

/** That a list is empty since there is nothing to ask. */
export function absentLine(database: string): string {
  return `note: no library stands in the database ${printableLine(database)} yet; the first sync makes it\n`;
}

/** Which skill was found by a path that is not its own; nothing where it is. */
export function foundLine(
  asked: string,
  found: { readonly path: string; readonly isByName: boolean },
): string {
  const [name, path] = [printableLine(asked), printableLine(found.path)];
  return name === path ? '' : `note: ${name} is ${path}${found.isByName ? '' : ' now'}\n`;
}

/** A run in words: `run 12 (sync by ann on host, 2026-01-31 12:00:00Z)`. */
function runText({ id, direction, who, host, startedAt }: NamedRun): string {
  return printableLine(`run ${id} (${direction} by ${who} on ${host}, ${timeText(startedAt)})`);
}
