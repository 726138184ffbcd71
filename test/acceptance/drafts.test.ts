import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { nodeDisk } from '../../src/disk.ts';
import { connect } from '../../src/repository/open.ts';
import { emptyDatabasePlace, usualKinds } from '../databases.ts';
import { writeFiles } from '../folders.ts';
import { makeProject } from './cli.ts';

const body = '# Triage\n\nSorts reports.\n\n## Capabilities\n\n- **Rank**: By harm.\n';

describe.each(usualKinds)('a draft that an API put into %s', (kind) => {
  test('comes to the files, is edited there, goes back, and stays a draft', async () => {
    const project = await makeProject();
    await writeFiles(project.folder, { 'skills/.keep': '' });
    const place = await emptyDatabasePlace(kind);
    const env = { DATABASE_URL: place.kind === 'postgres' ? place.url : `pglite:${place.directory}` };
    const query = async (text: string, values: readonly unknown[] = []) => {
      const connection = await connect(place, nodeDisk);
      if (!connection.ok) throw new Error(connection.problem.reason);
      const rows = await connection.value.query(text, values);
      await connection.value.close();
      return rows;
    };
    expect((await project.run(['migrate'], env)).code).toBe(0);
    await query(
      `insert into skills (skill_path, name, description, type, skill_content)
       values ('operations/triage', 'triage', 'Sorts reports. Use when many came.', 'task_focus', $1)`,
      [body],
    );
    await query(
      `insert into skills (skill_path, name, description, type, status, skill_content)
       values ('operations/other', 'other', 'No draft.', 'tool', 'archived', '')`,
    );

    const imported = await project.run(['import-from-db', '--status', 'draft', '--quiet'], env);
    expect(imported).toEqual({
      code: 0,
      stdout: 'Done: 1 written to the files, 0 unchanged.\n',
      stderr: '',
    });
    const file = path.join(project.folder, 'skills/operations/triage/SKILL.md');
    const text = `---
name: triage
description: Sorts reports. Use when many came.
metadata:
  type: task_focus
  status: draft
---
${body}`;
    expect(await readFile(file, 'utf8')).toBe(text);
    expect((await project.run(['sync-db', '--dry-run', '--exit-code'], env)).code).toBe(0);

    await writeFiles(project.folder, {
      'skills/operations/triage/SKILL.md': text.replace('Sorts reports.\n\n', 'Sorts reports well.\n\n'),
      'skills/operations/triage/scripts/rank.sh': '#!/bin/sh\n',
    });
    expect((await project.run(['sync-db', '--dry-run', '--exit-code'], env)).code).toBe(2);
    const exported = await project.run(['export-to-db', '--quiet'], env);
    expect(exported.stdout).toBe('Done: 1 updated in the database, 0 unchanged.\n');
    const after = await project.run(['sync-db', '--dry-run', '--exit-code'], env);
    expect([after.code, after.stdout]).toEqual([0, 'Dry run, nothing was changed: 1 unchanged.\n']);
    expect(
      await query(
        `select skill_path, status, skill_content like '%reports well.%' as edited,
           (select count(*) from skill_files f where f.skill_id = s.skill_id) as files,
           (select string_agg(name, ', ') from capabilities c where c.skill_id = s.skill_id) as capabilities
         from skills s order by skill_path desc`,
      ),
    ).toEqual([
      { skill_path: 'operations/triage', status: 'draft', edited: true, files: 1, capabilities: 'Rank' },
      { skill_path: 'operations/other', status: 'archived', edited: false, files: 0, capabilities: null },
    ]);
  });
});
