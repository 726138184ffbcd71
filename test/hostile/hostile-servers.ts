// Servers that nobody should meet, and what is to be said of each.

import { createHash } from 'node:crypto';
import type { Reason } from '../../src/problem.ts';
import {
  answer,
  columns,
  done,
  type Ending,
  int32,
  introduction,
  login,
  lying,
  message,
  ready,
  report,
  row,
  type Script,
  text,
  welcome,
} from './fake-server.ts';

export interface HostileServer extends Script {
  readonly name: string;
  /** What the URL asks for; nothing is encrypted where it does not say. */
  readonly query: string;
  /** The problem that it comes to. */
  readonly reason: Reason;
  /** Whether the password may have gone out: in a hash, or to a server that asks for it in the clear. */
  readonly hears: 'nothing' | 'no password' | 'the password';
}

const plain = 'sslmode=disable';
const unreachable = 'database-unreachable';
const lost = 'database-lost';
const refused = 'database-login-refused';
const escapes = '\u001b[2J\u001b]0;owned\u0007\u009b31m\u202e::error::owned';

function none(
  name: string,
  answers: Script['answers'],
  reason: Reason = unreachable,
  ending: Ending = 'silence',
): HostileServer {
  return { name, query: plain, answers, ending, reason, hears: 'no password' };
}

/** The same server in all ways that an answer can stop. */
function stopping(name: string, answers: Script['answers'], reason: Reason = unreachable): HostileServer[] {
  return (['close', 'silence', 'reset'] as const).map((ending) =>
    none(`${name}, then ${ending}`, answers, reason, ending),
  );
}

/** What no server says, in place of an answer. */
const garbage: readonly (readonly [name: string, bytes: Buffer])[] = [
  ['a web server', Buffer.from('HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n<html>')],
  ['a mail server', Buffer.from('220 mail.example ESMTP\r\n')],
  ['a shell', Buffer.from('SSH-2.0-OpenSSH_9.6\r\n')],
  ['MySQL', Buffer.from('J\0\0\0\n8.0.36\0\x08\0\0\0abcdefgh\0\xff\xff', 'latin1')],
  ['Redis', Buffer.from("-ERR unknown command '\0\0\0'\r\n")],
  ['an alert of TLS', Buffer.from([0x15, 3, 1, 0, 2, 2, 40])],
  ['zeros', Buffer.alloc(4096)],
  ['ones', Buffer.alloc(4096, 0xff)],
  ['noise', createHash('sha512').update('noise').digest()],
  ['escapes', Buffer.from(escapes)],
  ['a line of JSON', Buffer.from('{"error":"nothing here"}\n')],
  ['a message of no type that is', message('x', text('hello'))],
  ['a message of type 0', message('\0')],
  ['a message of type 255', message('\xff', text('hello'))],
  ['a message that is shorter than its head', lying('S', 3, text('x'))],
  ['a message of length 0', lying('Z', 0, Buffer.from('I'))],
  ['a message of length 1', lying('R', 1, int32(0))],
  ['a message of length -1', lying('R', -1, int32(0))],
  ['a message of length -2147483648', lying('E', 0x8000_0000, text('SFATAL'))],
  ['an offer to copy in', message('G', Buffer.from([0, 0, 0]))],
  ['an offer to copy out', message('H', Buffer.from([0, 0, 0]))],
  ['an offer to copy both ways', message('W', Buffer.from([0, 0, 0]))],
  ['copied data', message('d', text('x'))],
  ['another protocol', message('v', int32(0x0003_0000), int32(0))],
  ['an error without fields or end', message('E')],
  ['an error of which a field has no end', message('E', Buffer.from('SFATAL'))],
  ['an error without end', message('E', text('SFATAL'), text('C28P01'))],
  ['an error that ends in the next message', Buffer.concat([message('E', text('SFATAL')), ready])],
  ['an error that says nothing', message('E', Buffer.alloc(1))],
  ['an error without a code', report('E', { S: 'FATAL', M: 'no' })],
  ['an error whose code is a key of every object', report('E', { S: 'FATAL', C: 'constructor', M: 'no' })],
  ['an error whose code is __proto__', report('E', { S: 'FATAL', C: '__proto__', M: '__proto__' })],
  ['an error with neither code nor severity', report('E', { M: 'constructor' })],
  ['an error whose code steers terminals', report('E', { S: 'FATAL', C: escapes, M: escapes })],
  ['a notice without end', message('N', text('SNOTICE'))],
];

/** Garbage that is too long only before the login. */
const tooLong: readonly (readonly [name: string, bytes: Buffer])[] = [
  ['a message of length 2147483647', lying('R', 0x7fff_ffff, int32(0))],
  ['a message of length 30001', lying('S', 30_001, text('x'))],
  ['an error of 2 MiB', report('E', { S: 'FATAL', C: '28000', M: 'x'.repeat(2 ** 21) })],
];

const reasons: readonly (readonly [code: string, reason: Reason])[] = [
  ['08P01', unreachable],
  ['0A000', 'database-failed'],
  ['28000', refused],
  ['28P01', refused],
  ['3D000', 'database-not-found'],
  ['53200', 'database-out-of-room'],
  ['ZZZZZ', 'database-failed'],
];

/** A login by SCRAM, of which the server's first words are these. */
function scram(first: (nonce: string) => string, ...then: readonly Buffer[]): Script['answers'] {
  const nonceOf = (said: Buffer) => /r=([^,]+)$/.exec(said.toString('latin1'))?.[1] ?? '';
  return [
    login(10, text('SCRAM-SHA-256'), Buffer.alloc(1)),
    (said) => login(11, Buffer.from(first(nonceOf(said)))),
    ...then,
  ];
}

const salt = Buffer.from('salt').toString('base64');

const logins: readonly HostileServer[] = [
  ...[1, 2, 4, 6, 7, 8, 9, 13, 99, -1].map((way) =>
    none(`asks for a login in the way ${way}`, [login(way)], refused),
  ),
  none('asks for a login in no way', [message('R')]),
  none('asks for a password in clear text, at another length', [login(3, text('more'))]),
  none('asks for a hash with half a salt', [login(5, Buffer.from('ab'))]),
  none('knows no mechanism', [login(10, Buffer.alloc(1))], refused),
  none('knows another mechanism', [login(10, text('SCRAM-MD5'), Buffer.alloc(1))], refused),
  none('has a list of mechanisms without end', [login(10, Buffer.from('SCRAM-SHA-1'))], refused),
  none('goes on with a login that nobody began', [login(11, Buffer.from('r=a,s=b,i=1'))]),
  none('ends a login that nobody began', [login(12, Buffer.from('v=abcd'))]),
  ...(
    [
      ['no words', () => ''],
      ['words of no form', () => escapes],
      ['a number used once that is not ours', () => `r=other,s=${salt},i=4096`],
      ['our number used once, and no more', (nonce) => `r=${nonce},s=${salt},i=4096`],
      ['no salt', (nonce) => `r=${nonce}more,i=4096`],
      ['a salt of no form', (nonce) => `r=${nonce}more,s=!!!,i=4096`],
      ['no rounds', (nonce) => `r=${nonce}more,s=${salt}`],
      ['0 rounds', (nonce) => `r=${nonce}more,s=${salt},i=0`],
      ['-1 rounds', (nonce) => `r=${nonce}more,s=${salt},i=-1`],
      ['4294967295 rounds', (nonce) => `r=${nonce}more,s=${salt},i=4294967295`],
      ['rounds beyond all numbers', (nonce) => `r=${nonce}more,s=${salt},i=${'9'.repeat(400)}`],
    ] satisfies readonly [string, (nonce: string) => string][]
  ).map(([name, first]) => none(`begins SCRAM with ${name}`, scram(first), refused)),
  ...(
    [
      ['a signature of another', login(12, Buffer.from(`v=${Buffer.alloc(32).toString('base64')}`))],
      ['no signature', login(12, Buffer.from('x=y'))],
      ['an error that steers terminals', login(12, Buffer.from(`e=${escapes}`))],
    ] as const
  ).map(([name, last]) =>
    none(
      `ends SCRAM with ${name}`,
      scram((nonce) => `r=${nonce}more,s=${salt},i=4096`, last),
      refused,
    ),
  ),
  {
    ...none('asks for the password in clear text', [
      login(3),
      report('E', { S: 'FATAL', C: '28P01', M: 'no' }),
    ]),
    reason: refused,
    hears: 'the password',
  },
  ...[login(3), login(5, Buffer.from('salt')), login(10, text('SCRAM-SHA-256'), Buffer.alloc(1))].map(
    (asked, index): HostileServer => ({
      ...none(`asks in the ${index + 1}. way that binds nothing`, [asked]),
      query: `${plain}&channel_binding=require`,
      reason: 'channel-binding-missing',
    }),
  ),
  {
    ...none('lets in whoever asks to be bound', [welcome]),
    query: `${plain}&channel_binding=require`,
    reason: 'channel-binding-missing',
  },
];

/** What a server answers that is asked for TLS, which the URL does not go without. */
const encrypted: readonly HostileServer[] = ['require', 'verify-ca', 'verify-full'].flatMap((mode) =>
  (
    [
      ['has no TLS', Buffer.from('N'), 'tls-missing'],
      ['has no TLS, and asks for a password', Buffer.concat([Buffer.from('N'), login(3)]), 'tls-missing'],
      ['has TLS, and says more before it', Buffer.concat([Buffer.from('S'), welcome]), 'tls-missing'],
      ['answers with an error', report('E', { S: 'FATAL', C: '28000', M: escapes }), 'tls-missing'],
      ['answers in no way', Buffer.from('?'), 'tls-missing'],
      ['asks for a password', login(3), 'tls-missing'],
    ] as const
  ).map(
    ([name, said, reason]): HostileServer => ({
      ...none(`${name}, under ${mode}`, [said], reason),
      query: `sslmode=${mode}`,
      hears: 'nothing',
    }),
  ),
);

/** What stands where TLS was promised. */
const unencrypted: readonly HostileServer[] = (
  [
    ['nothing', 'silence', unreachable],
    ['the end', 'close', unreachable],
    ['a reset', 'reset', unreachable],
    ['a flood of words', { flood: Buffer.concat([welcome, Buffer.alloc(65_536, 'x')]) }, 'tls-missing'],
  ] as const
).map(([name, ending, reason]) => ({
  ...none(`has TLS, and then comes ${name}`, [Buffer.from('S')], reason, ending),
  query: 'sslmode=require',
  hears: 'nothing',
}));

const floods: readonly HostileServer[] = (
  [
    ['notices', report('N', { S: 'NOTICE', M: 'x'.repeat(1000) }), lost],
    ['settings', message('S', text('a'), text('b'.repeat(1000))), lost],
    ['notifications', message('A', int32(1), text('a'), text('b'.repeat(1000))), lost],
    ['requests for a login', login(0), lost],
    ['zeros', Buffer.alloc(65_536), unreachable],
  ] as const
).map(([name, flood, reason]) =>
  none(`lets in, after ${name} without end`, [], reason === lost ? unreachable : reason, {
    flood: Buffer.concat(Array.from({ length: 60 }, () => flood)),
  }),
);

/** Servers that let in whoever comes: what they answer to the first question. */
const introduced: readonly HostileServer[] = [
  ...stopping('lets in', [welcome]),
  ...stopping('answers with half a row', [welcome, introduction().subarray(0, 150)]),
  ...garbage.map(([name, bytes]) => none(`answers with ${name}`, [welcome, bytes], unreachable)),
  ...reasons.map(([code, reason]) =>
    none(
      `answers with the error ${code}`,
      [welcome, report('E', { S: 'ERROR', C: code, M: escapes })],
      reason,
    ),
  ),
  none('promises a row of 1 GiB', [welcome, lying('D', 0x3fff_fff0)]),
  none('promises a notice of 1 GiB', [welcome, lying('N', 0x3fff_fff0)], unreachable),
  none('answers with nothing but that it is ready', [welcome, ready]),
  none('answers with no row', [welcome, answer({ versionNumber: 23 })]),
  none('answers with a row that nothing describes', [welcome, Buffer.concat([row('1'), done, ready])]),
  none('answers with a row of other columns', [welcome, answer({ x: 23 }, ['1'])]),
  none('answers with more fields than columns', [
    welcome,
    Buffer.concat([columns({ x: 23 }), row('1', '2', '3'), done, ready]),
  ]),
  none('answers with a row that ends in the middle', [
    welcome,
    Buffer.concat([columns({ x: 23 }), message('D', Buffer.from([0, 9])), done, ready]),
  ]),
  none('answers with a row of -1 fields', [
    welcome,
    Buffer.concat([columns({ x: 23 }), message('D', Buffer.from([255, 255])), done, ready]),
  ]),
  none('answers with 32767 columns that are not there', [welcome, message('T', Buffer.from([127, 255]))]),
  none('answers twice', [
    welcome,
    Buffer.concat([columns({ x: 23 }), row('1'), done, columns({ x: 23 }), row('1'), done, ready]),
  ]),
  none('answers with JSON that is none', [welcome, answer({ versionNumber: 114 }, ['{'])]),
  none(
    'is PostgreSQL 9.1',
    [welcome, introduction({ number: '90124', version: '9.1.24' })],
    'database-too-old',
  ),
  none('is of version -1', [welcome, introduction({ number: '-1', version: escapes })], 'database-too-old'),
  none(
    'is Redshift',
    [
      welcome,
      report('E', { S: 'ERROR', C: '42704', M: 'unrecognized configuration parameter "server_version_num"' }),
    ],
    'database-reshaped',
  ),
  none(
    'is CockroachDB',
    [welcome, introduction({ number: '130000', version: '13.0.0' })],
    'database-too-old',
  ),
  none('is the console of PgBouncer', [
    welcome,
    Buffer.concat([report('E', { S: 'ERROR', C: '08P01', M: 'invalid command' }), ready]),
  ]),
  none('holds no Unicode', [welcome, introduction({ encoding: 'SQL_ASCII' })], 'database-encoding'),
  none('holds no encoding', [welcome, introduction({ encoding: null })]),
  none('has no schema', [welcome, introduction({ schema: null })], 'schema-missing'),
];

/** Servers that also introduce themselves as they should, and what they answer to the next question. */
const trusted: readonly HostileServer[] = [
  ...stopping('introduces itself', [welcome, introduction()], lost),
  none(
    'introduces itself, then promises a row of 1 GiB',
    [welcome, introduction(), lying('D', 0x3fff_fff0)],
    lost,
  ),
  ...garbage.map(([name, bytes]) =>
    none(`introduces itself, then answers with ${name}`, [welcome, introduction(), bytes], unreachable),
  ),
  ...reasons.map(([code, reason]) =>
    none(
      `introduces itself, then answers with the error ${code}`,
      [welcome, introduction(), report('E', { S: 'ERROR', C: code, M: escapes })],
      code === '08P01' ? lost : reason,
    ),
  ),
];

export const hostileServers: readonly HostileServer[] = [
  { ...none('says nothing', []), hears: 'no password' },
  ...stopping('says half a message', [login(0).subarray(0, 3)]),
  ...stopping('says half an error', [report('E', { S: 'FATAL', C: '28P01', M: 'no' }).subarray(0, 12)]),
  ...garbage.map(([name, bytes]) => none(`is ${name}`, [bytes])),
  ...tooLong.map(([name, bytes]) => none(`says ${name}`, [bytes])),
  ...reasons.map(([code, reason]) =>
    none(`says the error ${code}`, [report('E', { S: 'FATAL', C: code, M: escapes.repeat(100) })], reason),
  ),
  ...logins,
  ...encrypted,
  ...unencrypted,
  ...floods,
  ...introduced,
  ...trusted,
];
