// How far a run has come, as one line of a terminal that is written again and again, and then is gone.

import type { OnProgress, Step } from '../replica.ts';
import { counted } from './counted.ts';

const texts: { readonly [S in Step]: string } = {
  read: 'reading the files',
  show: 'comparing',
  store: 'storing in the database',
  write: 'writing the files',
};

/** What takes less is not told. */
const silentMs = 1000;

/** How often the line is written, at most. */
const everyMs = 100;

/** A terminal, as far as a line on it is concerned. */
export interface Terminal {
  readonly write: (text: string) => void;
  /** Its width in columns. */
  readonly columns: () => number;
  /** In milliseconds, by a clock that only goes forward. */
  readonly now: () => number;
}

/** One line of progress. */
export interface ProgressLine {
  readonly update: OnProgress;
  /** Takes the line away, before anything else is printed. */
  readonly clear: () => void;
}

/** Writes progress to a terminal, once a step takes longer than a second. */
export function progressLine({ write, columns, now }: Terminal): ProgressLine {
  let step: Step | undefined;
  let began = 0;
  let written = 0;
  let isShown = false;
  const clear = () => {
    if (isShown) write('\r\u001b[K');
    isShown = false;
  };
  return {
    clear,
    update(current, done, total) {
      const time = now();
      // A step that begins anew, as for what was planned anew, is told from its own beginning.
      if (current !== step || done <= 1) [step, began] = [current, time];
      if (done >= total) clear();
      else if (time - began >= silentMs && time - written >= everyMs) {
        const rate = Math.round((done * 1000) / (time - began));
        const text = `${texts[current]}: ${done} of ${counted(total, 'skill')}, ${rate} a second`;
        write(`\r\u001b[K${text.slice(0, Math.max(0, columns() - 1))}`);
        [written, isShown] = [time, true];
      }
    },
  };
}
