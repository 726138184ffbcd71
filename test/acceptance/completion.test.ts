import { access, chmod, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder, writeFiles } from '../folders.ts';
import { makeProject, runProcess } from './cli.ts';
import { named, offersOf, type Shell, scriptFor, shells } from './shells.ts';

const tree = {
  'skills/development/python/async/SKILL.md': '',
  'skills/development/python/async/scripts/run.sh': '',
  'skills/development/python/async/nested/SKILL.md': '',
  'skills/development/review/SKILL.md': '',
  'skills/docker/SKILL.md': '',
  'skills/.hidden/SKILL.md': '',
  'skills/loose.md': '',
  'plans/plan.json': '',
};

/** What can follow the line so far. Where bash lists files itself, what it is asked for. */
const lines: readonly (readonly [
  line: string,
  offers: readonly string[],
  listedByBash?: readonly string[],
])[] = [
  ['skill-fleet sy', ['sync-db']],
  ['skill-fleet re', ['read-properties', 'resolve', 'restore']],
  ['skill-fleet --ver', ['--version']],
  ['skill-fleet nothing ', []],
  ['skill-fleet help und', ['undo']],
  ['skill-fleet sync-db --on', ['--on-conflict']],
  ['skill-fleet sync-db --on-conflict ', ['database', 'fail', 'local', 'merge', 'newest']],
  ['skill-fleet sync-db --on-conflict=m', ['--on-conflict=merge']],
  ['skill-fleet sync-db --diff=', ['--diff=full', '--diff=none', '--diff=stat']],
  ['skill-fleet sync-db --on-conflict merge --diff s', ['stat']],
  ['skill-fleet sync-db --exit-code ', ['conflicts', 'pending', 'theirs']],
  ['skill-fleet sync-db --exit-code --dr', ['--dry-run']],
  ['skill-fleet import-from-db --status d', ['deprecated', 'draft']],
  ['skill-fleet migrate --stat', ['--statement-timeout', '--status']],
  ['skill-fleet status --max-age ', []],
  ['skill-fleet list --category ', []],
  ['skill-fleet completion ', ['bash', 'fish', 'zsh']],
  ['skill-fleet completion bash --', ['--help']],
  ['skill-fleet apply --out', []],
  ['skill-fleet apply plans/p', ['plans/plan.json'], ['<default>']],
  ['skill-fleet sync-db --out plans/', ['plans/plan.json'], ['<default>']],
  ['skill-fleet sync-db --out=plans/', ['--out=plans/plan.json'], ['<default>']],
  ['skill-fleet sync-db --env-file plans/', ['plans/plan.json'], ['<default>']],
  ['skill-fleet sync-db --skills-dir skills/dev', ['skills/development/'], ['<dirnames>']],
  ['skill-fleet sync-db --skills-dir=skills/dev', ['--skills-dir=skills/development/'], ['<dirnames>']],
  ['skill-fleet resolve docker --with l', ['local'], ['<default>', 'local']],
  ['skill-fleet resolve docker --with plans/', ['plans/plan.json'], ['<default>']],
  ['skill-fleet show d', ['development/', 'docker']],
  ['skill-fleet show --raw development/', ['development/python/', 'development/review']],
  ['skill-fleet log development/python/', ['development/python/async', 'development/python/async/']],
  ['skill-fleet show docker d', []],
  ['skill-fleet diff docker d', ['development/', 'docker']],
  ['skill-fleet restore --revision 12 do', ['docker']],
  ['skill-fleet sync-db --skill-path docker de', ['development/']],
  ['skill-fleet sync-db --skill-path=do', ['--skill-path=docker']],
  ['skill-fleet show --skills-dir skills/development re', ['review']],
  ['skill-fleet show --skills-dir=skills/development re', ['review']],
  ['skill-fleet show ../', []],
  ['skill-fleet show /', []],
  ['skill-fleet show .', []],
];

/** Names that say more than a name to some shell, a line's reader or a terminal. */
const hostile = [
  '$(touch pwned)',
  '`touch pwned`',
  ';touch pwned;',
  "it's 'quoted'",
  'a "quoted" one',
  '&& touch pwned #',
  '*',
  '[a]?',
  '~root',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is zsh's
  '${(e):-$(touch pwned)}',
  '(touch pwned)',
  '-rf',
  'with  two spaces',
  'a:b=c',
  'é 日本',
  '!!',
  '{a,b}',
  '$HOME',
  '%s%n',
];

/** Names that no skill can have, since no path holds a control character or a backslash. */
const impossible = ['a\nb', 'a\tb', 'a\u001b[31m', 'a\u007f', 'a\u009b31m', 'a\\', '\\n\\t$(touch pwned)'];

describe.each(shells)('completion in a shell', (shell) => {
  const { title, isMissing } = named(shell);

  describe.skipIf(isMissing)(title, () => {
    test('has a script that the shell can read', async () => {
      const script = path.join(await temporaryFolder(), 'script');
      await writeFile(script, await scriptFor(shell));
      const check = shell === 'fish' ? '--no-execute' : '-n';
      expect(await runProcess(shell, [check, script], { cwd: '/' })).toEqual({
        ...{ code: 0, stdout: '', stderr: '' },
      });
    });

    test('offers what can follow', async () => {
      const cwd = await temporaryFolder();
      await writeFiles(cwd, tree);
      const offers = await offersOf(
        shell,
        lines.map(([line]) => line),
        { cwd },
      );
      const expected = lines.map(([line, words, listed]) => [line, (shell === 'bash' && listed) || words]);
      expect(lines.map(([line], index) => [line, offers[index]])).toEqual(expected);
    });

    test('takes every name for a name, and runs nothing', async () => {
      const cwd = await temporaryFolder();
      const folders = [...hostile, ...impossible].map((name) => [`skills/x/${name}/SKILL.md`, '']);
      // What is the only candidate is put on the line, and read from there.
      const alone = hostile.map((name, index) => [`alone/${index}/x/${name}/SKILL.md`, '']);
      await writeFiles(cwd, {
        ...Object.fromEntries([...folders, ...alone]),
        '.env': 'SKILLS_DIR=$(touch pwned)`touch pwned`\n',
        'skill-fleet.config.yaml': 'skillsDirectory: "$(touch pwned)"\n',
        'skill-fleet': '#!/bin/sh\ntouch pwned\n',
        'node_modules/.bin/skill-fleet': '#!/bin/sh\ntouch pwned\n',
      });
      for (const file of ['skill-fleet', 'node_modules/.bin/skill-fleet']) {
        await chmod(path.join(cwd, file), 0o755);
      }
      const PATH = [cwd, path.join(cwd, 'node_modules/.bin'), process.env['PATH']].join(':');
      const lines = [
        'skill-fleet show --skills-dir skills x/',
        'skill-fleet show ',
        './skill-fleet show --skills-dir skills x/é',
        ...hostile.map((_, index) => `skill-fleet show --skills-dir alone/${index} x/`),
      ];
      const offers = await offersOf(shell, lines, { cwd, env: { PATH } });
      const paths = hostile.map((name) => `x/${name}`);
      expect(offers).toEqual([paths.toSorted(), [], ['x/é 日本'], ...paths.map((path) => [path])]);
      await expect(access(path.join(cwd, 'pwned'))).rejects.toThrow('ENOENT');
    });

    test.each([
      ['skill-fleet show --skills-dir skills my\\ s', ['my skill']],
      ["skill-fleet show --skills-dir skills 'my s", ['my skill']],
      ['skill-fleet show --skills-dir skills "it\'s a', ["it's a"]],
      ["skill-fleet show --skills-dir 'skills' it\\'s", ["it's a"]],
    ])('reads quotes: %s', async (line, words) => {
      const cwd = await temporaryFolder();
      await writeFiles(cwd, { 'skills/my skill/SKILL.md': '', "skills/it's a/SKILL.md": '' });
      expect(await offersOf(shell, [line], { cwd })).toEqual([words]);
    });
  });
});

describe('completion', () => {
  const files = { 'elsewhere/docs/there/SKILL.md': '', 'skills/here/SKILL.md': '' };
  const ask = 'skill-fleet show ';
  const there = ['there'];

  test.each<
    [
      string,
      { cwd?: string; files?: { [name: string]: string }; env?: { [name: string]: string }; line?: string },
      readonly string[],
    ]
  >([
    ['skills beside the line', {}, ['here']],
    ['skills of the project, from a folder of it', { cwd: 'elsewhere', files: { '.git': '' } }, ['here']],
    ['SKILLS_DIR', { env: { SKILLS_DIR: 'elsewhere/docs' } }, there],
    ['.env', { files: { '.env': '# of us\nexport SKILLS_DIR = "elsewhere/docs" # there\n' } }, there],
    [
      '.env, of the project',
      { cwd: 'skills', files: { '.git': '', '.env': 'SKILLS_DIR=elsewhere/docs' } },
      there,
    ],
    ['--env-file', { files: { env: 'SKILLS_DIR=elsewhere/docs\r\n' }, line: `${ask}--env-file env ` }, there],
    [
      'skill-fleet.config.yaml',
      { files: { 'skill-fleet.config.yaml': 'skillsDirectory: elsewhere/docs\n' } },
      there,
    ],
    [
      'skill-fleet.config.json',
      { files: { 'skill-fleet.config.json': '{ "skillsDirectory": "elsewhere/docs", "ignore": [] }' } },
      there,
    ],
    [
      '--config',
      { files: { 'elsewhere/c.yml': "skillsDirectory: 'docs'" }, line: `${ask}--config=elsewhere/c.yml ` },
      there,
    ],
    ['a folder that is not there', { env: { SKILLS_DIR: 'nowhere' } }, []],
    [
      'a flag before all of them',
      { env: { SKILLS_DIR: 'nowhere' }, line: `${ask}--skills-dir skills ` },
      ['here'],
    ],
  ])('finds the skills directory as the program does: %s', async (_, given, words) => {
    const folder = await temporaryFolder();
    await writeFiles(folder, { ...files, ...given.files });
    const cwd = path.join(folder, given.cwd ?? '');
    const offers = await offersOf('bash', [given.line ?? ask], { cwd, ...(given.env && { env: given.env }) });
    expect(offers).toEqual([words]);
  });

  test('knows every command, and every option that its help shows', async () => {
    const { run, folder } = await makeProject();
    const shown = async (...args: string[]) => (await run([...args, '--help'])).stdout;
    const commands = [...(await shown()).matchAll(/^ {2}([a-z][\w-]*) /gm)].map(([, name = '']) => name);
    expect(commands.length).toBeGreaterThan(10);
    const flagsOf = async (command: string) =>
      [...(await shown(command)).matchAll(/^ {2}(-\w)?(?:, )?(--[\w-]+)?/gm)]
        .flatMap(([, short, long]) => [short, long])
        .filter((flag) => flag !== undefined)
        .sort();
    const asked = commands.filter((command) => command !== 'help');
    const offers = await offersOf(
      'bash',
      ['skill-fleet ', ...asked.map((command) => `skill-fleet ${command} -`)],
      {
        cwd: folder,
      },
    );
    expect(offers).toEqual([commands.toSorted(), ...(await Promise.all(asked.map(flagsOf)))]);
  });

  test('is refused for a shell that has none', async () => {
    const { run } = await makeProject();
    expect(await run(['completion', 'tcsh'])).toMatchObject({ code: 64, stdout: '' });
  });
});

test.each<Shell>(['zsh', 'fish'])('completion says what each option does in %s', async (shell) => {
  expect(await scriptFor(shell)).toContain('show what would happen to each skill, and why; change nothing');
});
