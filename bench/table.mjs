// The table that the bench prints: each measure beside its floor, what was to be reached, and whether it was.

import { median } from './server.mjs';

/** The median of some seconds. */
function seconds(values) {
  if (!values?.length) return '';
  const value = median(values);
  return value.toFixed(value < 10 ? 2 : 1);
}

/** What a row comes to: a ratio of medians, or how many seconds the one is above the other. */
export function figureOf({ program, floor, reach }) {
  if (!program?.length || !floor?.length) return undefined;
  const [time, least] = [median(program), median(floor)];
  return reach?.above === undefined ? time / least : time - least;
}

/** Whether no round of a measure came to its end. */
const isCutOff = ({ over, program }) => over !== undefined && !program?.length;

/** Whether a row's figure is what was to be reached; nothing where there is none to reach. */
export function isReached(row) {
  if (row.isWithin !== undefined) return row.isWithin;
  if (isCutOff(row)) return row.reach ? false : undefined;
  const figure = figureOf(row);
  if (figure === undefined || !row.reach) return undefined;
  return figure <= (row.reach.above ?? row.reach.ratio);
}

function figureText(row) {
  const figure = figureOf(row);
  if (isCutOff(row)) return row.over > 0 ? `over ${row.over} s` : 'no time left';
  if (figure === undefined) return '';
  return row.reach?.above === undefined ? `${figure.toFixed(2)} ×` : `${figure.toFixed(2)} s above`;
}

function reachText({ reach }) {
  if (!reach) return '';
  return reach.above === undefined ? `${reach.ratio} ×` : `${reach.above} s above`;
}

const headings = [
  'measure',
  'skills',
  'database',
  'floor',
  'floor, s',
  'of a processor',
  'program, s',
  'of a processor',
  'peak, MiB',
  'figure',
  'to reach',
  'reached',
];

/** The rows as markdown. */
export function tableOf(rows) {
  const cells = rows.map((row) => [
    row.measure,
    row.skills ?? '',
    row.database ?? '',
    row.floorName ?? '',
    ...[row.floor, row.floorProcessor, row.program, row.processor].map(seconds),
    row.peak ? Math.round(row.peak) : '',
    row.note ?? figureText(row),
    reachText(row),
    { true: 'yes', false: 'no', undefined: '' }[isReached(row)],
  ]);
  return [headings, headings.map((_, at) => (at < 4 ? '---' : '---:')), ...cells]
    .map((row) => `| ${row.join(' | ')} |`)
    .join('\n');
}

/** How each measure grows from the smallest library to the largest, for each database: 1 is linear. */
export function growthOf(rows) {
  const measured = rows.filter(({ skills, program }) => skills && program?.length);
  return measured.flatMap((small, at) => {
    const same = (row) => row.measure === small.measure && row.database === small.database;
    const large = measured.findLast(same);
    if (measured.findIndex(same) !== at || large === small) return [];
    const { measure, database } = small;
    const share = median(large.program) / median(small.program) / (large.skills / small.skills);
    const name = `growth: ${measure}, ${small.skills} to ${large.skills} skills`;
    return [{ measure: name, database, note: `${share.toFixed(2)} × linear`, isWithin: share <= 1 }];
  });
}
