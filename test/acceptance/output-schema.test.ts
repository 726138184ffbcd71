// What each command prints with --json is what docs/reference/output.schema.json says.

import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { writeFiles } from '../folders.ts';
import { outputSchema, outputs } from '../report/output-schema.ts';
import { schemaValidator } from '../schema-validator.ts';
import { databaseUrl, makeProject, projectRoot, sql } from './cli.ts';

const published = path.join(projectRoot, 'docs/reference/output.schema.json');

test('the published schema is that of these tests', async () => {
  // To write it anew: WRITE_SCHEMA=1 npx vitest run test/acceptance/output-schema && npx biome check --write docs
  if (process.env['WRITE_SCHEMA']) await writeFile(published, JSON.stringify(outputSchema(), null, 2));
  expect(JSON.parse(await readFile(published, 'utf8'))).toEqual(outputSchema());
});

test('every command prints one object that the schema knows, also where it fails', async () => {
  const ajv = schemaValidator();
  ajv.addSchema(JSON.parse(await readFile(published, 'utf8')), 'output');
  const project = await makeProject();
  const url = await databaseUrl('postgres');
  const seen = new Set<string>();
  const run = async (kind: keyof typeof outputs, command: string) => {
    const { stdout } = await project.run([...command.split(' '), '--json'], { DATABASE_URL: url });
    const validate = ajv.getSchema(`output#/$defs/${kind}`);
    if (!validate) throw new Error(`no schema ${kind}`);
    validate(JSON.parse(stdout));
    expect({ command, errors: validate.errors }).toEqual({ command, errors: null });
    seen.add(kind);
    return JSON.parse(stdout);
  };
  const document = (name: string, body: string, more = '') =>
    `---\nname: ${name}\ndescription: About.\n${more}---\n${body}`;
  const skills = path.join(project.folder, 'skills');
  await run('failure', 'sync-db');
  await run('diagnosis', 'doctor');
  await writeFiles(skills, {
    'a/SKILL.md': document('a', 'One.\n\nTwo.\n\nThree.\n', 'metadata:\n  tags: [x]\n  version: 1.0\n'),
    'b/SKILL.md': document('b', 'Text.\n'),
    'c/SKILL.md': document('c', 'Text.\n'),
    'bad/SKILL.md': Buffer.from([0xff]),
  });
  await run('validated', 'validate');
  await run('validated', 'validate --fix --dry-run');
  await run('failure', 'validate nowhere');
  expect((await run('prompt', 'to-prompt')).problems).toHaveLength(1);
  await run('properties', 'read-properties skills/a');
  await run('failure', 'read-properties skills');
  await run('run', 'sync-db --dry-run --out plan.json');
  await run('run', 'apply plan.json');
  await run('failure', 'apply nowhere.json');
  await writeFiles(skills, {
    'a/SKILL.md': document('a', 'Mine.\n\nTwo.\n\nThree.\n'),
    'b/SKILL.md': document('b', 'Mine.\n'),
    'b/run.sh': 'run\n',
  });
  await sql(
    url,
    `update skills set skill_content = replace(skill_content, 'Three.', 'Theirs.') where skill_path = 'a'`,
  );
  await sql(url, `update skills set skill_content = 'Theirs.' where skill_path = 'b'`);
  await rm(path.join(skills, 'c'), { recursive: true });
  await run('diff', 'diff');
  await run('status', 'status');
  await run('list', 'list --limit 1');
  await run('skill', 'show a');
  await run('verified', 'verify');
  expect((await run('conflicts', 'diff --conflict')).conflicts).toHaveLength(2);
  await run('run', 'export-to-db');
  await run('run', 'sync-db --dry-run --on-conflict merge');
  await run('run', 'sync-db --on-conflict merge');
  await run('run', 'resolve b --with local');
  await run('run', 'import-from-db --dry-run');
  await run('runs', 'log');
  const { revisions } = await run('revisions', 'log b --diff');
  for (const more of [' --dry-run', '']) {
    await run('restored', `restore b --revision ${revisions.at(-1).revision}${more}`);
  }
  await run('failure', 'restore nobody --revision 1');
  await sql(url, `update skills set deleted_at = now() where skill_path = 'c'`);
  await run('skill', 'show c');
  await run('run', 'undo --dry-run');
  await run('run', 'undo');
  await run('pruned', 'prune --dry-run');
  await run('migrations', 'migrate --status');
  await run('migrated', 'migrate');
  expect(Object.keys(outputs).filter((kind) => !seen.has(kind))).toEqual([]);
});
