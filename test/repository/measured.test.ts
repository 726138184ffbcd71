import { describe, expect, test } from 'vitest';
import { AnswerTooLarge, Measured, NotPostgres } from '../../src/repository/measured.ts';
import { done, message, ready, report, row, text, welcome } from '../hostile/fake-server.ts';

/** What bytes come to, handed over in parts of so many. */
function outcomeOf(bytes: Buffer, size: number): string {
  const measured = new Measured();
  try {
    for (let at = 0; at < bytes.length; at += size) measured.take(bytes.subarray(at, at + size));
    return 'taken';
  } catch (error) {
    return error instanceof AnswerTooLarge
      ? 'too large'
      : error instanceof NotPostgres
        ? 'none'
        : String(error);
  }
}

describe('what a server sends is measured alike, however it is cut:', () => {
  const error = report('E', { S: 'ERROR', C: '42P01', M: 'no' });
  test.each<readonly [string, Buffer, string]>([
    ['a login', welcome, 'taken'],
    ['a login and rows', Buffer.concat([welcome, row('a', null), row(''), done, ready]), 'taken'],
    ['an error', Buffer.concat([welcome, error, ready]), 'taken'],
    ['an error of one zero', Buffer.concat([welcome, message('E', Buffer.alloc(1)), ready]), 'taken'],
    [
      'an error of one empty field',
      Buffer.concat([welcome, message('E', Buffer.from('M\0\0')), ready]),
      'taken',
    ],
    ['a row of 40,000 bytes', Buffer.concat([welcome, row('x'.repeat(40_000)), ready]), 'taken'],
    ['an error without end', Buffer.concat([welcome, message('E', text('SERROR')), ready]), 'none'],
    ['a long setting', Buffer.concat([welcome, message('S', text('x'.repeat(40_000)))]), 'none'],
    ['a long row before the login', row('x'.repeat(40_000)), 'none'],
    ['an offer to copy', Buffer.concat([welcome, message('G', Buffer.alloc(3))]), 'none'],
  ])('%s', (_, bytes, outcome) => {
    for (const size of [1, 2, 3, 5, 7, 64, bytes.length]) expect(outcomeOf(bytes, size)).toBe(outcome);
  });
});

test('rows without end are heard out for as long as memory may hold them, and no longer', () => {
  const measured = new Measured();
  measured.take(welcome);
  const rows = Buffer.concat(Array.from({ length: 10_000 }, () => row('1')));
  let heard = 0;
  expect(() => {
    for (; heard < 1000; heard++) measured.take(rows);
  }).toThrow(AnswerTooLarge);
  expect(heard * 10_000).toBeGreaterThan(4_000_000);
  expect(heard * 10_000).toBeLessThan(6_000_000);
  // Each answer counts for itself.
  const patient = new Measured();
  patient.take(welcome);
  for (let answer = 0; answer < 600; answer++) patient.take(Buffer.concat([rows, ready]));
});
