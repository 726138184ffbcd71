// Edits that leave no trace in what a listing shows: each is seen, by every command that looks.

import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { databaseUrl, makeProject, sql } from '../acceptance/cli.ts';
import { migratedDatabase } from '../databases.ts';
import { writeFiles } from '../folders.ts';
import { document, makeClone } from '../sync/sides.ts';

/** Sets a file's or a folder's times to the nanosecond as those of another, which Node has no numbers for. */
function sameTimes(place: string, as: string): void {
  execFileSync('touch', ['--no-dereference', '-r', as, place]);
}

/** Does something to a file or folder, and sets its times back. */
function unseen(place: string, work: () => void): void {
  const kept = `${place}-times`;
  const { mtimeNs } = fs.statSync(place, { bigint: true });
  fs.writeFileSync(kept, '');
  sameTimes(kept, place);
  work();
  sameTimes(place, kept);
  fs.rmSync(kept);
  expect(fs.statSync(place, { bigint: true }).mtimeNs).toBe(mtimeNs);
}

/** What a file with this text holds after an edit: as many bytes. */
const edited = (text: string) => text.replaceAll('1', '2');

/** Edits of the file at a place, each of which leaves the same size and time. */
const edits: { readonly [name: string]: (place: string, text: string) => void } = {
  'in-place': (place, text) => unseen(place, () => fs.writeFileSync(place, edited(text))),
  'part-in-place': (place, text) =>
    unseen(place, () => {
      const file = fs.openSync(place, 'r+');
      fs.writeSync(file, '2', text.lastIndexOf('1'));
      fs.closeSync(file);
    }),
  replaced: (place, text) =>
    unseen(place, () => {
      fs.writeFileSync(`${place}-new`, edited(text));
      fs.renameSync(`${place}-new`, place);
    }),
  // Some file systems give the number of a file that is gone to the next one.
  'same-inode': (place, text) =>
    unseen(place, () => {
      const { ino } = fs.statSync(place);
      for (let tries = 0; tries < 50; tries++) {
        fs.rmSync(place);
        fs.writeFileSync(place, edited(text));
        if (fs.statSync(place).ino === ino) break;
      }
    }),
  'by-another-name': (place, text) =>
    unseen(place, () => {
      const other = `${place}-other`;
      fs.linkSync(place, other);
      fs.writeFileSync(other, edited(text));
      fs.rmSync(other);
    }),
  'with-a-folder': (place, text) => unseen(path.dirname(place), () => edits['in-place']?.(place, text)),
  'of-1970': (place, text) => {
    fs.writeFileSync(place, edited(text));
    fs.utimesSync(place, 0, 0);
  },
  'of-2500': (place, text) => {
    fs.writeFileSync(place, edited(text));
    fs.utimesSync(place, 16_725_225_600, 16_725_225_600);
  },
  'mode-alone': (place) => unseen(place, () => fs.chmodSync(place, 0o755)),
};

const names = Object.keys(edits);

test('that leave size, time and inode as they were are seen by status, export-to-db and sync-db', async () => {
  const project = await makeProject();
  const env = { DATABASE_URL: await databaseUrl('postgres') };
  const text = (name: string) => document(name, `Version 1 of the document, number 1.\n`);
  const attached = 'Version 1 of the file, number 1.\n';
  const place = (name: string) => path.join(project.folder, 'skills', name);
  for (const command of ['export-to-db', 'sync-db']) {
    for (const name of names) {
      await writeFiles(place(name), { 'SKILL.md': text(name), 'x/y': attached });
      fs.chmodSync(place(`${name}/SKILL.md`), 0o644);
      fs.chmodSync(place(`${name}/x/y`), 0o644);
    }
    await writeFiles(place('added'), { 'SKILL.md': text('added') });
    fs.rmSync(place('added/x'), { recursive: true, force: true });
    expect(await project.run(['sync-db'], env)).toMatchObject({ code: 0 });
    for (const name of names) {
      if (command === 'sync-db') edits[name]?.(place(`${name}/SKILL.md`), text(name));
      else edits[name]?.(place(`${name}/x/y`), attached);
    }
    // A folder's own time tells nothing either.
    unseen(place('added'), () => {
      fs.mkdirSync(place('added/x'));
      fs.writeFileSync(place('added/x/y'), attached);
    });
    const { stdout } = await project.run(['status', '--json'], env);
    expect(JSON.parse(stdout).aheadHere.toSorted(), command).toEqual(['added', ...names].sort());
    expect(await project.run([command], env)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`${names.length + 1} updated in the database`),
    });
    expect(await project.run(['verify'], env)).toMatchObject({ code: 0 });
  }
  const held = await sql(
    env.DATABASE_URL,
    `select skill_path, skill_content, document_mode from skills join skill_sync using (skill_id) order by 1`,
  );
  const bodies = new Map(held.map((row) => [row['skill_path'], row]));
  expect(bodies.get('in-place')).toMatchObject({
    skill_content: edited('Version 1 of the document, number 1.\n'),
  });
  expect(bodies.get('mode-alone')).toMatchObject({ document_mode: '100755' });
});

test('that follow one another within a tick of the clock are each seen', async () => {
  const connection = await migratedDatabase('postgres');
  const clone = await makeClone(connection);
  const file = path.join(clone.folder, 'a/x');
  await clone.write({ 'a/SKILL.md': document('a'), 'a/x': '0000' });
  await clone.run('export');
  for (let turn = 1; turn <= 12; turn++) {
    const direction = turn % 2 ? 'export' : 'sync';
    // In the moment after a run has read the file, and again in that after it was written.
    for (const nth of [1, 2]) fs.writeFileSync(file, `${nth}${`${turn}`.padStart(3, '0')}`);
    expect((await clone.run(direction)).words).toEqual(['a: edited -> database']);
    const held = await connection.query('select content from skill_files');
    expect(held).toEqual([{ content: `2${`${turn}`.padStart(3, '0')}` }]);
  }
});
