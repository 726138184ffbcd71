// What the doctor makes of what was found, where a test cannot bring it about.

import { describe, expect, test } from 'vitest';
import {
  clockFound,
  meddlingFound,
  policiesFound,
  poolerFound,
  rightsFound,
  runsFound,
  sessionsFound,
  syncLockFound,
  tlsFound,
} from '../../src/commands/doctor-database.ts';
import { bitsFound, caseFound, endingsFound } from '../../src/commands/doctor-git.ts';

const away = { peer: '192.0.2.1:5432', isLocal: false };
const local = { peer: '127.0.0.1:5432', isLocal: true };
const link = { announcedPid: 7 };
const nobody = { policed: [], triggers: [], rules: [], disabled: [] };
const session = { pid: 12, role: 'ana', program: null, seconds: 90 };
const endings = { rewritten: 0, wouldChange: 0, text: 'unspecified', eol: 'unspecified' };
const words = { command: (text: string) => `skill-fleet ${text}` };
const right = (name: string, isForReading: boolean) => ({ right: name, isForReading });
const last = { run: 3, direction: 'sync', who: 'ana', host: 'here', startedAt: new Date(0) };

describe('the doctor says of', () => {
  test.each([
    ['a clock that agrees', clockFound({ before: 0, theirs: 5, after: 10 }), 'pass', /^0\.0 s/],
    [
      'a clock as far off as the way may take',
      clockFound({ before: 0, theirs: 11_000, after: 12_000 }),
      'pass',
      /^5/,
    ],
    ['a clock ahead', clockFound({ before: 0, theirs: 6000, after: 10 }), 'warn', /6\.0 s ahead/],
    ['a clock behind', clockFound({ before: 60_000, theirs: 0, after: 60_010 }), 'warn', /60\.0 s behind/],
    ['no TLS to this machine', tlsFound({ ...local, tls: null }), 'pass', /^off/],
    ['no TLS to another', tlsFound({ ...away, tls: null }), 'warn', /unencrypted to 192\.0\.2\.1/],
    [
      'TLS',
      tlsFound({ ...away, tls: { protocol: 'TLSv1.3', checked: 'host' } }),
      'pass',
      /^TLSv1\.3, .* for this host/,
    ],
    [
      'TLS with anybody',
      tlsFound({ ...away, tls: { protocol: 'TLSv1.2', checked: 'nothing' } }),
      'pass',
      /not checked/,
    ],
    ['no pooler', poolerFound(link, [7, 7], 'db.example'), 'pass', /^no sign/],
    ['a pooler by its processes', poolerFound(link, [7, 8], 'db.example'), 'pass', /two processes/],
    ['a pooler by its word', poolerFound(link, [8, 8], 'db.example'), 'pass', /announced/],
    [
      'a pooler by its name',
      poolerFound(link, [7, 7], 'ep-x-pooler.eu.example:5432'),
      'pass',
      /name says so/,
    ],
    ['a role with all rights', rightsFound([], 'ana'), 'pass', /^all/],
    [
      'a role that reads',
      rightsFound([right('insert on skills', false)], 'ana'),
      'warn',
      /can read only: .*insert/,
    ],
    [
      'a role that cannot read',
      rightsFound([right('select on skills', true)], 'ana'),
      'fail',
      /select on skills/,
    ],
    ['no policy', policiesFound(nobody), 'pass', /^none/],
    ['a policy', policiesFound({ policed: ['skills'] }), 'warn', /on skills:/],
    ['no trigger', meddlingFound(nobody), 'pass', /^none/],
    ['a trigger', meddlingFound({ ...nobody, triggers: ['skills.audit'] }), 'warn', /skills\.audit/],
    [
      'a trigger of ours',
      meddlingFound({ ...nobody, disabled: ['skills.x'] }),
      'warn',
      /turned off: skills\.x/,
    ],
    ['a free lock', syncLockFound([]), 'pass', /^free/],
    ['a lock', syncLockFound([{ ...session, waits: false }]), 'warn', /process 12 \(ana\), for 90 s/],
    ['no session', sessionsFound([]), 'pass', /^none/],
    [
      'a session',
      sessionsFound([{ ...session, waits: false }]),
      'warn',
      /process 12 .* idle in a transaction/,
    ],
    ['runs that ended', runsFound({ count: 0, last: null }, words), 'pass', /^each/],
    ['runs that were killed before', runsFound({ count: 2, last: null }, words), 'pass', /^2 earlier/],
    [
      'a last run that was killed',
      runsFound({ count: 1, last }, words),
      'warn',
      /^run 3 \(sync by ana on here, 1970/,
    ],
    ['line endings', endingsFound(endings, { autocrlf: undefined }, '/s'), 'pass', /^left/],
    ['autocrlf', endingsFound(endings, { autocrlf: 'true' }, '/s'), 'warn', /autocrlf/],
    [
      'autocrlf where attributes forbid it',
      endingsFound({ ...endings, text: 'unset' }, { autocrlf: 'true' }, '/s'),
      'pass',
      /^left/,
    ],
    [
      'eol=crlf',
      endingsFound({ ...endings, eol: 'crlf' }, { autocrlf: undefined }, '/s'),
      'warn',
      /eol=crlf/,
    ],
    ['bits', bitsFound(true, { filemode: 'true' }, '/s'), 'pass', /^kept/],
    ['bits that no disk keeps', bitsFound(false, { filemode: 'false' }, '/s'), 'pass', /keeps none/],
    ['bits that git does not see', bitsFound(true, { filemode: 'false' }, '/s'), 'warn', /core\.fileMode/],
    ['case that counts', caseFound(false, { ignorecase: undefined }, '/s'), 'pass', /^counts/],
    ['case that does not', caseFound(true, { ignorecase: 'true' }, '/s'), 'pass', /^does not count/],
    [
      'case, of which git has another view',
      caseFound(true, { ignorecase: 'false' }, '/s'),
      'warn',
      /git takes it/,
    ],
  ] as const)('%s', (_, { outcome, found, remedy }, expected, text) => {
    expect({ outcome, found, hasRemedy: remedy !== undefined }).toEqual({
      outcome: expected,
      found: expect.stringMatching(text),
      hasRemedy: expected !== 'pass',
    });
  });
});
