// `to-prompt` and `read-properties` as a user runs them.

import { symlink } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { writeFiles } from '../folders.ts';
import { makeProject } from './cli.ts';

const document = (name: string, description = 'Fills forms.', more = '') =>
  `---\nname: ${name}\ndescription: ${description}\n${more}---\nRead.\n`;

async function projectWith(files: { readonly [path: string]: string | Buffer }) {
  const project = await makeProject();
  await writeFiles(project.folder, files);
  const at = (...parts: readonly string[]) => path.join(project.folder, ...parts);
  const namesIn = async (...args: readonly string[]) => {
    const { stdout } = await project.run(['to-prompt', ...args]);
    return [...stdout.matchAll(/<name>\n(.*)\n<\/name>/g)].map(([, name]) => name);
  };
  return { ...project, at, namesIn };
}

test('to-prompt prints the block of a prompt, escaped', async () => {
  const { run, at } = await projectWith({
    'skills/a & b/SKILL.md': document('forms', "Use <b> & 'c'."),
    'skills/c/SKILL.md': document('c', '|-\n  One.\n  "Two."'),
  });
  expect(await run(['to-prompt'])).toEqual({
    code: 0,
    stderr: '',
    stdout: `<available_skills>
<skill>
<name>
forms
</name>
<description>
Use &lt;b&gt; &amp; &#x27;c&#x27;.
</description>
<location>
${at('skills/a &amp; b/SKILL.md')}
</location>
</skill>
<skill>
<name>
c
</name>
<description>
One.
&quot;Two.&quot;
</description>
<location>
${at('skills/c/SKILL.md')}
</location>
</skill>
</available_skills>
`,
  });
});

test('to-prompt takes libraries, skills with those below them, and documents, in the order asked for', async () => {
  const { namesIn, run } = await projectWith({
    'skills/b/SKILL.md': document('b'),
    'skills/a/SKILL.md': document('a'),
    'skills/a/sub/SKILL.md': document('a-sub'),
    'more/x/y/skill.md': document('y'),
    'none/readme.md': '',
  });
  expect(await namesIn()).toEqual(['a', 'a-sub', 'b']);
  expect(await namesIn('skills/b', 'more', 'skills/a/SKILL.md')).toEqual(['b', 'y', 'a', 'a-sub']);
  expect(await run(['to-prompt', 'none'])).toMatchObject({
    code: 0,
    stdout: '<available_skills>\n</available_skills>\n',
  });
  expect(await run(['to-prompt', 'skills', 'nowhere'])).toMatchObject({ code: 1, stdout: '' });
});

test('to-prompt names what cannot be read, and goes on', async () => {
  const { namesIn, run, at } = await projectWith({
    'skills/a/SKILL.md': document('a'),
    'skills/b/SKILL.md': 'No frontmatter.\n',
    'skills/c/SKILL.md': Buffer.from([0xff]),
    'skills/d/SKILL.md': document('d'),
    // Of no concern to a prompt.
    'skills/d/Notes.txt': Buffer.from([0xff, 0]),
  });
  await symlink(at('skills/a/SKILL.md'), at('skills/d/link'));
  expect(await namesIn()).toEqual(['a', 'd']);
  const { code, stderr } = await run(['to-prompt']);
  expect(code).toBe(1);
  expect(stderr.match(/^error: .*/gm)).toEqual([
    'error: b/SKILL.md:1: the document does not begin with frontmatter',
    'error: c/SKILL.md:1: not UTF-8',
  ]);
  const json = JSON.parse((await run(['to-prompt', '--json'])).stdout);
  expect(json).toMatchObject({
    skills: [{ name: 'a', description: 'Fills forms.', location: at('skills/a/SKILL.md') }, { name: 'd' }],
    problems: [{ reason: 'properties-not-readable' }, { reason: 'document-not-utf8' }],
    exitCode: 1,
  });
});

test('to-prompt keeps the words of skills as they are, also where GitHub reads along', async () => {
  const { run } = await projectWith({ 'skills/a/SKILL.md': document('a', '|-\n  ::x::\n  ##[y]') });
  expect((await run(['to-prompt'], { GITHUB_ACTIONS: 'true' })).stdout).toContain('\n::x::\n##[y]\n');
});

test('read-properties prints those of one skill', async () => {
  const { run, at } = await projectWith({
    'skills/a/SKILL.md': document('a', 'Fülls forms.', 'allowed-tools: Read\nmetadata:\n  version: 1.0\n'),
    'skills/a/sub/SKILL.md': document('sub'),
    'SKILL.md': document('top'),
  });
  const properties = {
    ...{ name: 'a', description: 'Fülls forms.', 'allowed-tools': 'Read' },
    metadata: { version: '1.0' },
  };
  for (const named of ['skills/a', 'skills/a/', 'skills/a/SKILL.md', at('skills/a')]) {
    expect(await run(['read-properties', named])).toEqual({
      code: 0,
      stdout: `${JSON.stringify(properties, null, 2)}\n`,
      stderr: '',
    });
  }
  expect(JSON.parse((await run(['read-properties', '.'])).stdout).name).toBe('top');
  expect(JSON.parse((await run(['read-properties', 'skills/a', '--json'])).stdout)).toEqual({
    ...{ version: 1, location: at('skills/a/SKILL.md'), properties, exitCode: 0 },
  });
});

test.each<[args: readonly string[], code: number, said: string]>([
  [['skills/bad'], 1, 'error: bad/SKILL.md:1: the skill has no description that is a text\n'],
  [['skills'], 1, 'error: skills holds no SKILL.md\n'],
  [['nowhere'], 1, 'not found: '],
  [[], 64, 'missing required argument'],
  [['skills/bad', 'skills'], 64, 'too many arguments'],
])('read-properties %j exits %d', async (args, code, said) => {
  const { run } = await projectWith({ 'skills/bad/SKILL.md': '---\nname: bad\n---\n' });
  const ran = await run(['read-properties', ...args]);
  expect(ran).toMatchObject({ code, stdout: '' });
  expect(ran.stderr).toContain(said);
});

test('they need no database, and make no state', async () => {
  const { run } = await projectWith({ 'skills/a/SKILL.md': document('a') });
  for (const command of ['to-prompt', 'read-properties']) {
    for (const env of [{ CI: 'true' }, { DATABASE_URL: 'nonsense' }]) {
      expect(await run([command, 'skills/a'], env)).toMatchObject({ code: 0 });
    }
  }
  expect((await run(['to-prompt', '.skill-fleet'])).stderr).toContain('not found');
});
