// What an export sends, held to the rules as it goes, and what came after the guard looked.

import { rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { SentValidation } from '../../src/commands/sent-validation.ts';
import type { Config } from '../../src/config/config.ts';
import type { Load } from '../../src/replica.ts';
import { runPlan } from '../../src/sync/run.ts';
import { prepareSync } from '../../src/sync/sync.ts';
import type { ExportLevel } from '../../src/validation/rules.ts';
import { migratedDatabase, usualKinds } from '../databases.ts';
import { syncInput } from '../repository/input.ts';
import { makeClone } from '../sync/sides.ts';

const document = (name: string, body = 'Read the form first.\n') =>
  `---\nname: ${name}\ndescription: Fills forms. Use when one is given.\n---\n${body}`;

/** The name is an error here, as the test's configuration has it. */
const validation: Config['validation'] = { rules: { 'name-differs-from-folder': 'error' }, overrides: [] };

const signal = new AbortController().signal;

describe.each(usualKinds)('an export to %s', (kind) => {
  async function begun(level: ExportLevel, files: { readonly [path: string]: string }) {
    const connection = await migratedDatabase(kind);
    const clone = await makeClone(connection);
    await clone.write(files);
    const input = await syncInput(connection, clone.folder, 'export');
    const prepared = await prepareSync(input);
    const sent = new SentValidation(level, { validation, skillsDirectory: clone.folder }, {}, clone.folder);
    const run = () => runPlan({ ...input, onSend: sent.onSend }, prepared);
    return { ...clone, input, prepared, sent, run };
  }

  test('reads what it sends once, and looks at it on its way', async () => {
    const { sent, prepared, run } = await begun('warn', {
      'a/SKILL.md': document('a'),
      'b/SKILL.md': document('x'),
      'c/SKILL.md': document('c', '[it](d.md)\n'),
    });
    const nothing: Load = () => expect.unreachable('the guard of a run that refuses nothing reads nothing');
    expect(await sent.guard(prepared.plan, nothing, signal)).toBeUndefined();
    expect(sent.found()).toMatchObject({ skills: 0 });
    const { results } = await run();
    expect(results.map(({ ok }) => ok)).toEqual([true, true, true]);
    expect(sent.found()).toMatchObject({ skills: 3, found: 2, errors: 1, warnings: 1 });
  });

  test('refuses skill by skill what got an error after the guard looked, and sends the rest', async () => {
    const { sent, prepared, run, input, write } = await begun('error', {
      'a/SKILL.md': document('a'),
      'b/SKILL.md': document('b'),
      'c/SKILL.md': document('c'),
    });
    expect(await sent.guard(prepared.plan, input.files.load, signal)).toBeUndefined();
    await write({ 'a/SKILL.md': document('x'), 'b/SKILL.md': document('b', '[it](d.md)\n') });
    const { results } = await run();
    expect(results.map((result) => [result.change.path, result.ok || result.problem.reason]).sort()).toEqual([
      ['a', 'skills-not-valid'],
      ['b', true],
      ['c', true],
    ]);
    expect(sent.found()).toMatchObject({ skills: 3, found: 2, errors: 1, warnings: 1 });
  });

  test('takes links for whole that lead to what is no part of the skill, and there', async () => {
    const files = {
      'a/SKILL.md': document('a', '[nested](b/SKILL.md)\n'),
      'a/b/SKILL.md': document('b'),
    };
    const { sent, run } = await begun('warn', files);
    await run();
    expect(sent.found()).toMatchObject({ skills: 2, found: 0 });
  });

  test('looks at no skill that it deletes, nor at one of which it moves what the database holds', async () => {
    const connection = await migratedDatabase(kind);
    const { folder, write, run } = await makeClone(connection);
    await write({ 'a/SKILL.md': document('a'), 'b/SKILL.md': document('b'), 'c/SKILL.md': document('c') });
    await run('sync');
    await rm(path.join(folder, 'a'), { recursive: true });
    await rename(path.join(folder, 'b'), path.join(folder, 'z'));
    await connection.query("update skills set skill_content = 'There.' where skill_path = 'b'");
    await write({ 'c/SKILL.md': document('x') });
    const { plan } = await run('export', { deletes: true, dryRun: true });
    const asked: string[] = [];
    const load: Load = async function* (paths) {
      asked.push(...paths);
      yield [];
    };
    const sent = new SentValidation('error', { validation, skillsDirectory: folder }, {}, folder);
    await sent.guard(plan, load, signal);
    expect(plan.changes.map((change) => change.path)).toEqual(['a', 'c', 'z']);
    expect(asked).toEqual(['c']);
  });
});
