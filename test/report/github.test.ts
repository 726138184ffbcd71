import { describe, expect, test } from 'vitest';
import type { Warning } from '../../src/document/warning.ts';
import type { Problem } from '../../src/problem.ts';
import type { Conflict, Plan, PlannedChange, Preview } from '../../src/reconcile/plan.ts';
import { githubReport, type Surroundings } from '../../src/report/github.ts';
import type { Ended, SyncReport } from '../../src/report/sync-report.ts';
import { printableLine } from '../../src/report/terminal-text.ts';
import { annotationLine, withoutCommands } from '../../src/report/workflow-command.ts';
import type { Digest } from '../../src/skill/digest.ts';
import type { FilePath, SkillPath } from '../../src/skill/path.ts';
import { makeSkill } from '../../src/skill/skill.ts';

const mebibyte = 1024 * 1024;

const state = { digest: 'd' as Digest };

function changeOf(path: string): PlannedChange {
  return { path: path as SkillPath, side: 'database', why: 'new', before: null, after: state };
}

function conflictOf(path: string): Conflict {
  return {
    ...{ path: path as SkillPath, local: state, remote: state, base: null },
    why: 'no-base',
  } as Conflict;
}

function previewOf(path: string, text: string, warnings: readonly Warning[] = []): Preview {
  const entry = { path: 'SKILL.md' as FilePath, executable: false, bytes: Buffer.from(text) };
  return {
    files: makeSkill(path as SkillPath, [entry]),
    database: null,
    change: changeOf(path),
    reading: { category: null, warnings },
  };
}

function endOf(plan: Partial<Plan>, more: Partial<Ended> = {}): Ended {
  return {
    plan: {
      ...{ direction: 'export', changes: [], conflicts: [], holds: [], ahead: [], agreed: [] },
      ...{ unchanged: 0, leftOut: 0, problems: [], refusal: null },
      ...plan,
    },
    ...{ done: [], problems: plan.problems ?? [], exitCode: 0, command: 'export-to-db' },
    ...more,
  };
}

interface Told {
  readonly annotations: readonly string[];
  readonly summary: string;
  /** The calls that were passed on. */
  readonly calls: readonly string[];
}

const nothing = () => {};

const silent: SyncReport = {
  ...{ waiting: nothing, start: nothing, notice: nothing, baseSetAside: nothing },
  ...{ preview: nothing, result: nothing, validated: nothing, end: nothing },
};

/** What GitHub is told of a dry run. */
function tell(
  ended: Ended,
  { previews = [], ...more }: Partial<Surroundings> & { readonly previews?: Iterable<Preview> } = {},
): Told {
  let notices = '';
  let summary = '';
  const calls: string[] = [];
  const listener = Object.fromEntries(Object.keys(silent).map((name) => [name, () => calls.push(name)]));
  const report = githubReport(
    { ...silent, ...listener },
    {
      ...{ command: 'export-to-db', withDiffs: true, workspace: '/repository', realPath: (path) => path },
      namesIn: (folder) => (folder.endsWith('gone') ? [] : ['SKILL.md']),
      notice: (text) => {
        notices += text;
      },
      summary: {
        file: '/summary',
        size: () => 0,
        append: (text) => {
          summary += text;
        },
      },
      ...more,
    },
  );
  report.waiting('other');
  report.start({
    ...{ skillsDirectory: '/repository/skills', database: 'd', isEmbeddedByDefault: false },
    ...{ isDryRun: true, migrations: [] },
  });
  report.notice({ notice: 'ignored', count: 1 });
  report.baseSetAside('why');
  for (const preview of previews) report.preview(preview);
  report.end(ended);
  return { annotations: notices.split('\n').slice(0, -1), summary, calls };
}

const noClose: Problem = { reason: 'frontmatter-never-closes', path: 'a/x', file: 'SKILL.md', line: 3 };

/** The page without what is shown as it is: what is left is read as Markdown or as HTML. */
function markupOf(summary: string): string {
  return summary
    .replace(/^(`{3,})diff\n[\s\S]*?\n\1$/gm, '')
    .replace(/<pre>[^<>]*<\/pre>|<code>[^<>\n]*<\/code>/g, '');
}

/** The text that a browser shows. */
function decoded(html: string): string {
  return html.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

/** Tags that are open at the end, or that nothing opened. */
function unbalanced(markup: string): readonly string[] {
  const open: string[] = [];
  for (const [, slash, name = ''] of markup.matchAll(/<(\/?)(\w+)>/g)) {
    if (name === 'br') continue;
    if (slash === '') open.push(name);
    else if (open.pop() !== name) return [`/${name}`];
  }
  return open;
}

describe('an annotation', () => {
  test.each<readonly [string, Parameters<typeof annotationLine>[1], string]>([
    ['without a place', { title: 'T', message: ['m'] }, '::error title=T::m\n'],
    [
      'with its place',
      { title: 'T', message: ['m'], file: 'skills/a/SKILL.md', line: 3, column: 7 },
      '::error file=skills/a/SKILL.md,line=3,col=7,title=T::m\n',
    ],
    ['of a line alone', { title: 'T', message: ['m'], line: 3, column: 7 }, '::error title=T::m\n'],
    [
      'with what separates properties',
      { title: 'T', message: ['a:b, c::d'], file: 'a,b:c%.md' },
      '::error file=a%2Cb%3Ac%25.md,title=T::a:b, c::d\n',
    ],
    [
      'of several lines',
      { title: 'T', message: ['100 %', 'two\r\n::error::x'] },
      '::error title=T::100 %25%0Atwo\\u{d}\\n::error::x\n',
    ],
    [
      'with control and bidi characters',
      { title: 'T', message: ['\u001b[31m\u202e'] },
      '::error title=T::\\u{1b}[31m\\u{202e}\n',
    ],
  ])('%s is what the runner reads', (_, annotation, expected) => {
    expect(annotationLine('error', annotation)).toBe(expected);
  });

  test.each(['x', '%', 'ü', '😀'])('of many %s is cut at 4 KB, between characters', (character) => {
    const [, message = ''] = /^::error title=T::(.*)\n$/.exec(
      annotationLine('error', { title: 'T', message: [character.repeat(9000)] }),
    ) ?? [''];
    const bytes = Buffer.byteLength(message);
    expect([bytes <= 4096, bytes > 4080]).toEqual([true, true]);
    expect(decodeURIComponent(message).replaceAll(character, '')).toBe('...');
  });
});

test.each([
  ['::error::x', '\\u003a:error::x'],
  ['  - a\n \t::add-mask::x\n', '  - a\n \t\\u003a:add-mask::x\n'],
  ['+::error::x', '+::error::x'],
  ['"a ##[set-output name=a]b ##[error]c"', '"a #\\u0023[set-output name=a]b #\\u0023[error]c"'],
  ['# a [b] :c: d::e', '# a [b] :c: d::e'],
])('%j holds no command for the runner as %j', (text, expected) => {
  expect(withoutCommands(text)).toBe(expected);
});

describe('a run', () => {
  test('is passed on, call by call', () => {
    expect(tell(endOf({}), { previews: [previewOf('a/x', 'One.\n')] }).calls).toEqual(
      'waiting start notice baseSetAside preview end'.split(' '),
    );
  });

  test('annotates problems, conflicts, warnings and holds where they stand', () => {
    const warning: Warning = { code: 'version-is-a-number', text: '1.0', line: 4, column: 12 };
    const gone = { path: 'a/gone' as SkillPath, side: 'database', why: 'deletion' } as const;
    const problems: readonly Problem[] = [
      noClose,
      { reason: 'path-not-allowed', path: '../../b', why: 'it leaves' },
      { reason: 'link-in-the-way', path: 'a/x', file: 'a/link' },
      { reason: 'row-changed-meanwhile', path: 'a/gone' },
      { reason: 'row-changed-meanwhile', path: 'a/x' },
      { reason: 'interrupted' },
    ];
    const ended = endOf({ problems, conflicts: [conflictOf('a/y')], holds: [gone] });
    const { annotations } = tell(ended, { previews: [previewOf('a/z', 'One.\n', [warning])] });
    expect(annotations.map((line) => line.replace(/%0A.*/, ''))).toEqual([
      '::error file=skills/a/x/SKILL.md,line=3,title=Problem::a/x/SKILL.md:3: the frontmatter that opens here never closes',
      '::error title=Problem::"../../b" is no skill path: it leaves',
      '::error file=skills/a/link,title=Problem::a/x is not written: a/link is a symbolic link',
      '::error title=Problem::a/gone: the database changed while this run was under way',
      '::error file=skills/a/x/SKILL.md,title=Problem::a/x: the database changed while this run was under way',
      '::error title=Problem::Interrupted: what had not begun was not done',
      '::warning file=skills/a/y/SKILL.md,title=Conflict::a/y: the sides differ, and nothing says which one is newer',
      '::warning file=skills/a/z/SKILL.md,line=4,col=12,title=Read leniently::a/z: the version 1.0 is a number to other readers: quote it',
      '::notice title=Deletion held::a/gone: deleted in the files; held without --delete',
    ]);
    expect(annotations[0]).toMatch(/%0AWrite a line of --- alone where it ends\.$/);
  });

  test('annotates what the database made of a skill that was stored', () => {
    const lines: string[] = [];
    const report = githubReport(silent, {
      ...{
        command: 'sync-db',
        withDiffs: true,
        workspace: '/repository',
        namesIn: () => ['skill.md'],
        realPath: () => '/repository',
      },
      notice: (text) => lines.push(text),
    });
    const warnings: readonly Warning[] = [{ code: 'duplicate-key', key: 'tags' }];
    report.start({
      ...{ skillsDirectory: '/link', database: 'd', isEmbeddedByDefault: false },
      ...{ isDryRun: false, migrations: [] },
    });
    report.result({ change: changeOf('b'), ok: true, state, reading: { category: null, warnings } });
    report.end(endOf({}));
    expect(lines.join('')).toBe(
      '::warning file=b/skill.md,title=Read leniently::b: tags stands more than once: the last one counts\n',
    );
  });

  test.each([
    [10, 10, false],
    [11, 10, true],
    [500, 10, true],
  ])('with %i problems has %i annotations of them', (count, shown, isCounted) => {
    const problems = Array.from({ length: count }, (_, nth) => ({ ...noClose, line: nth + 1 }));
    const { annotations, summary } = tell(endOf({ problems }));
    expect(annotations).toHaveLength(shown);
    const last = `::error title=And more::${count - 9} more errors: see what this step printed`;
    expect(annotations.at(-1) === last).toBe(isCounted);
    const sentence = `${count - 9} of ${count} errors have no annotation: GitHub shows 10 of a kind.`;
    expect(summary.includes(sentence)).toBe(isCounted);
    expect(summary.match(/<li>/g)).toHaveLength(count);
  });

  test('counts conflicts and warnings together, conflicts first', () => {
    const warning: Warning = { code: 'duplicate-key', key: 'tags' };
    const previews = Array.from({ length: 30 }, (_, nth) => previewOf(`p/${nth}`, 'One.\n', [warning]));
    const { annotations } = tell(endOf({ conflicts: [conflictOf('a'), conflictOf('b')] }), { previews });
    expect(annotations.map((line) => / (?:file=\S*,)?title=([^:]*)/.exec(line)?.[1])).toEqual([
      ...['Conflict', 'Conflict'],
      ...Array.from({ length: 7 }, () => 'Read leniently'),
      'And more',
    ]);
    expect(annotations.at(-1)).toContain('23 more warnings');
  });
});

describe('the job summary', () => {
  test('says what would happen to each skill, why, what is wrong and what to run', () => {
    const ended = endOf({
      changes: [changeOf('a/x')],
      conflicts: [conflictOf('a/y')],
      holds: [{ path: 'b' as SkillPath, side: 'files', why: 'deletion' }],
      ahead: [{ path: 'c' as SkillPath, side: 'files' }],
      problems: [noClose],
      unchanged: 5,
    });
    expect(tell(ended, { previews: [previewOf('a/x', 'One.\n')] }).summary).toMatchInlineSnapshot(`
      "## skill-fleet export-to-db (dry run)

      Dry run, nothing was changed: 1 to create in the database, 1 conflict, 1 held, 1 ahead on the other side, 1 problem, 5 unchanged.

      <pre>Run it with:
        skill-fleet export-to-db
      What the other side is ahead in was left as it is. To see it:
        skill-fleet diff c
      Neither side of a conflict was changed by this command. To see one, and to settle it (what is overwritten is stored first):
        skill-fleet diff --conflict a/y
        skill-fleet resolve a/y --with local
        skill-fleet resolve a/y --with database
        skill-fleet resolve a/y --with FILE
      </pre>

      <table>
      <tr><th>Skill</th><th>What</th><th>Why</th></tr>
      <tr><td><code>a/x</code></td><td>create</td><td>in the database: new</td></tr>
      <tr><td><code>a/y</code></td><td>conflict</td><td>the sides differ, and nothing says which one is newer</td></tr>
      <tr><td><code>b</code></td><td>hold</td><td>deleted in the database; held without --delete</td></tr>
      <tr><td><code>c</code></td><td>skip</td><td>the database is ahead: import-from-db or sync-db carries it</td></tr>
      </table>

      <ul>
      <li><code>a/x/SKILL.md:3: the frontmatter that opens here never closes</code><br><code>Write a line of --- alone where it ends.</code></li>
      </ul>

      <details><summary><code>a/x</code></summary>

      \`\`\`diff
      --- /dev/null
      +++ files/a/x/SKILL.md
      @@ -0,0 +1,1 @@
      +One.
      \`\`\`

      </details>

      "
    `);
  });

  test('leaves out what differs where that is not asked for', () => {
    const previews = [previewOf('a/x', 'What nobody may read.\n')];
    const [shown, hidden] = [true, false].map(
      (withDiffs) => tell(endOf({}), { previews, withDiffs }).summary,
    );
    expect(shown).toContain('nobody may read');
    expect(hidden).not.toContain('nobody may read');
    expect(hidden).toContain('## skill-fleet export-to-db');
  });

  test('of a run names what was done, and not what failed', () => {
    let summary = '';
    const report = githubReport(silent, {
      ...{
        command: 'sync-db',
        withDiffs: true,
        workspace: '/repository',
        namesIn: () => [],
        notice: nothing,
      },
      realPath: (path) => path,
      summary: {
        ...{ file: '/summary', size: () => 3 },
        append: (text) => {
          summary += text;
        },
      },
    });
    report.start({
      ...{ skillsDirectory: '/repository', database: 'd', isEmbeddedByDefault: false },
      ...{ isDryRun: false, migrations: [] },
    });
    const changes = [changeOf('done'), changeOf('failed')];
    report.end(endOf({ changes }, { done: changes.slice(0, 1) }));
    expect(summary).toBe(
      '\n\n## skill-fleet sync-db\n\nDone: 1 created in the database, 0 unchanged.\n\n' +
        '<table>\n<tr><th>Skill</th><th>What</th><th>Why</th></tr>\n' +
        '<tr><td><code>done</code></td><td>create</td><td>in the database: new</td></tr>\n</table>\n\n',
    );
  });

  const hostile = [
    '<script>alert(1)</script>',
    '</code></td></table><img src=x>',
    '</pre>',
    '</details>',
    '<!-- never closed',
    '`` ` ```` code',
    '| a | b |',
    '\\| a \\',
    '@octocat',
    ':rocket:',
    '#123 GH-1',
    'https://evil.example/ www.evil.example a@evil.example',
    '[a](https://evil.example) ![b](c) **d** _e_ ~~f~~ $g$',
    'line\n\n# heading\r\n```\n',
    '&lt;b&gt; &#64;octocat',
    '\u202eltr \u001b[31m \u2028',
  ];

  test.each(hostile)('shows %j as it is, and takes it for no markup', (text) => {
    const path = `mark${text}mark`;
    const ended = endOf({
      changes: [changeOf(path)],
      conflicts: [conflictOf(path)],
      holds: [{ path: path as SkillPath, side: 'files', why: 'deletion' }],
      ahead: [{ path: path as SkillPath, side: 'files' }],
      problems: [{ ...noClose, path }],
    });
    const { summary, annotations } = tell(ended, {
      previews: [previewOf(path, `${text}\n\nmark ${text}\n`)],
    });
    const markup = markupOf(summary);
    expect(markup).not.toContain('mark');
    expect(markup).toMatch(/^[\w <>()/:#\n.,;-]*$/);
    expect(unbalanced(markup)).toEqual([]);
    const [, shown = ''] = /<td><code>(.*?)<\/code>/.exec(summary) ?? [];
    expect(decoded(shown)).toBe(printableLine(path));
    expect(annotations.every((line) => /^::(error|warning|notice) /.test(line))).toBe(true);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not stand there
    expect(summary + annotations.join('\n')).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u2028\u202a-\u202e]/);
  });

  test('fences a diff with more backticks than it holds', () => {
    const text = 'a\n`````\nb\n';
    const { summary } = tell(endOf({ changes: [changeOf('a')] }), { previews: [previewOf('a', text)] });
    expect(summary).toContain('\n``````diff\n');
    expect(summary).toContain('+`````\n');
    expect(summary).toMatch(/\n``````\n\n<\/details>\n\n$/);
  });

  const many = (count: number, name = 'skill') =>
    Array.from({ length: count }, (_, nth) => changeOf(`${name}/${nth}`));
  /** Diffs of some 10 KB, of characters that take three bytes each. */
  const long = (count: number) =>
    Array.from({ length: count }, (_, nth) => previewOf(`skill/${nth}`, `${'€'.repeat(3400)}\n`));

  test.each<
    readonly [string, Plan['changes'], readonly Preview[], Plan['problems'], number, readonly RegExp[]]
  >([
    ['some', many(10), long(10), [], 0, []],
    ['many diffs', many(300), long(300), [], 0, [/\d+ diffs left out/]],
    ['many rows', many(12_000, 'x'.repeat(80)), long(3), [], 0, [/\d+ rows left out/, /3 diffs left out/]],
    [
      'many problems',
      many(5),
      long(3),
      Array.from({ length: 9000 }, () => ({ ...noClose, path: 'y'.repeat(200) })),
      0,
      [/\d+ problems left out/, /rows left out/, /3 diffs left out/],
    ],
    ['little room', many(10), long(10), [], mebibyte - 8000, [/10 diffs left out/]],
    [
      'little room, and a small diff after a large one',
      many(2),
      [...long(1), previewOf('small', 'One.\n')],
      [],
      mebibyte - 8000,
      [/1 diff left out/],
    ],
  ])(
    'of %s stays below 1 MiB, with what is there, and says what it left out',
    (_, changes, previews, problems, size, notes) => {
      let appended = '';
      const append = (text: string) => {
        appended += text;
      };
      tell(endOf({ changes, problems }), {
        previews,
        summary: { file: '/summary', size: () => size, append },
      });
      const bytes = Buffer.byteLength(appended);
      expect(size + bytes).toBeLessThan(mebibyte);
      expect(appended.isWellFormed()).toBe(true);
      expect(unbalanced(markupOf(appended))).toEqual([]);
      expect(appended.match(/\d+ \w+ left out/g) ?? []).toHaveLength(notes.length);
      for (const note of notes) expect(appended).toMatch(note);
      const left = Number(/(\d+) diffs? left out/.exec(appended)?.[1] ?? 0);
      expect((appended.match(/<details>/g) ?? []).length + left).toBe(previews.length);
    },
  );

  test('leaves out one diff that is too large, and keeps the others', () => {
    const previews = [previewOf('large', 'x'.repeat(mebibyte)), ...long(2)];
    const { summary } = tell(endOf({ changes: many(3) }), { previews });
    expect(summary.match(/<details>/g)).toHaveLength(2);
    expect(summary).toContain('1 diff left out');
  });

  const refusals: readonly (readonly [string, Surroundings['summary'], string])[] = [
    [
      'is full',
      { file: '/s', size: () => mebibyte - 300, append: () => {} },
      'note: no job summary in /s: it is full',
    ],
    [
      'cannot be looked at',
      {
        ...{ file: '/s', append: () => {} },
        size: () => {
          throw new Error('EACCES');
        },
      },
      'note: no job summary in /s: EACCES',
    ],
    [
      'cannot be written',
      {
        ...{ file: '/s', size: () => 0 },
        append: () => {
          throw new Error('EISDIR: a folder');
        },
      },
      'note: no job summary in /s: EISDIR: a folder',
    ],
  ];

  test.each(refusals)('that %s is a notice, and no failure', (_, summary, note) => {
    const { annotations, calls } = tell(endOf({}), { ...(summary && { summary }) });
    expect(annotations).toEqual([note]);
    expect(calls.at(-1)).toBe('end');
  });
});
