import { expect, test } from 'vitest';
import { progressLine } from '../../src/report/progress-line.ts';

function terminal(columns = 80) {
  const written: string[] = [];
  let time = 0;
  const line = progressLine({ write: (text) => written.push(text), columns: () => columns, now: () => time });
  return {
    ...line,
    written,
    wait: (ms: number) => {
      time += ms;
    },
  };
}

const erased = '\r\u001b[K';

test('nothing is shown of what takes no second', () => {
  const { update, written, wait } = terminal();
  for (let done = 1; done <= 9; done++) {
    update('read', done, 10);
    wait(100);
  }
  update('read', 10, 10);
  expect(written).toEqual([]);
});

test('after that a line says what, how many of how many, and how fast; it goes at the end', () => {
  const { update, written, wait } = terminal();
  update('store', 1, 1000);
  wait(1000);
  update('store', 500, 1000);
  wait(50);
  update('store', 550, 1000);
  wait(950);
  update('store', 900, 1000);
  update('store', 1000, 1000);
  expect(written).toEqual([
    `${erased}storing in the database: 500 of 1000 skills, 500 a second`,
    `${erased}storing in the database: 900 of 1000 skills, 450 a second`,
    erased,
  ]);
});

test('what else is printed takes it away first, and once', () => {
  const { update, clear, written, wait } = terminal();
  clear();
  update('write', 1, 10);
  wait(2000);
  update('write', 2, 10);
  clear();
  clear();
  expect(written).toEqual([`${erased}writing the files: 2 of 10 skills, 1 a second`, erased]);
});

test('a step that begins anew is timed anew, and no line is wider than the terminal', () => {
  const { update, written, wait } = terminal(12);
  update('read', 1, 10);
  wait(5000);
  update('show', 1, 10);
  wait(500);
  update('show', 2, 10);
  expect(written).toEqual([]);
  wait(600);
  update('show', 3, 10);
  expect(written).toEqual([`${erased}comparing: `]);
});
