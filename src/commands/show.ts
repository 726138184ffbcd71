// `show`: one skill, with all that the database knows of it.

import type { Config } from '../config/config.ts';
import { type Outcome, refuse } from '../problem.ts';
import { type Loaded, oneByOne } from '../replica.ts';
import { jsonText } from '../report/json.ts';
import { foundLine } from '../report/notice-text.ts';
import { type InFiles, type Shown, showLines } from '../report/show-text.ts';
import { printable, printableLine } from '../report/terminal-text.ts';
import { type Connection, inView } from '../repository/connection.ts';
import { loadRows } from '../repository/load.ts';
import { type FoundSkill, findSkill, type KnownSkill, loadRevisions } from '../repository/revision.ts';
import { loggedRevisions } from '../repository/run-log.ts';
import { lastStanding, nearestPaths, readShown, type ShownSkill } from '../repository/show.ts';
import { digestSkill } from '../skill/digest.ts';
import { documentOf, type Skill } from '../skill/skill.ts';
import { compileMapping } from '../taxonomy/infer.ts';
import { type GlobalFlags, runCommand, withConnection } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { openAlone, openSkills } from './sides.ts';

/** Flags of `show`. */
export interface ShowFlags extends GlobalFlags {
  /** The document's bytes, and nothing else. */
  readonly raw?: boolean;
}

/** A skill as it is found: what its row says, if there is one, and what it holds or held last. */
interface Found {
  readonly known: FoundSkill;
  readonly state: Shown['state'];
  readonly row: ShownSkill | null;
  readonly latest: Shown['latest'];
  readonly lastStanding: number | null;
  readonly content: Loaded;
}

/** Prints the skill at a path, an alias or an old path. Creates and changes nothing. Returns the exit code. */
export function run(flags: ShowFlags, path = ''): Promise<number> {
  return runCommand(flags, true, async (around) => {
    const { config, output } = around;
    const opened = await openAlone(around, flags, true);
    if (!opened.ok) return opened;
    if (opened.value.state === 'absent') return refuse({ reason: 'skill-unknown', path });
    const { connection } = opened.value;
    return withConnection(connection, async () => {
      const found = await inView(connection, () => find(connection, path, config));
      if (!found.ok) return found;
      const { known, state, row, content, ...more } = found.value;
      const name = printableLine(known.path);
      if (!flags.quiet && !flags.json) output.notice(foundLine(path, known));
      if (flags.raw) {
        if ('problem' in content) return refuse(content.problem);
        if (!flags.quiet && state !== 'standing')
          output.notice(`note: ${name} is deleted; this is what it was\n`);
        const { bytes } = documentOf(content.skill);
        // Nothing that a document holds may steer a terminal.
        output.result(output.columns === undefined ? bytes : printable(bytes.toString()));
        return { ok: true, value: exitCodes.done };
      }
      const skill = 'skill' in content ? content.skill : undefined;
      const shown: Shown & { readonly row: ShownSkill | null } = {
        ...more,
        ...{ path: known.path, state, row },
        inFiles: await standsInFiles(config, known, state === 'standing' ? skill : undefined),
        files:
          skill?.entries.map(({ path, bytes, executable }) => ({ path, bytes: bytes.length, executable })) ??
          null,
      };
      if (flags.json) {
        const { row: fields, ...rest } = shown;
        output.result(jsonText({ ...rest, skillId: known.skillId, fields, exitCode: exitCodes.done }));
      } else output.result(showLines(shown, output.colors, output.columns));
      return { ok: true, value: exitCodes.done };
    });
  });
}

async function find(connection: Connection, path: string, { taxonomy }: Config): Promise<Outcome<Found>> {
  const known = await findSkill(connection, path);
  if (known === undefined) {
    return refuse({ reason: 'skill-unknown', path, nearest: await nearestPaths(connection, path) });
  }
  const row = (await readShown(connection, known.skillId)) ?? null;
  // Files that a run overwrote are kept under a later revision than the row's.
  const present = known.revision === null ? null : [known.revision];
  const [latest = null] = await loggedRevisions(
    connection,
    known.skillId,
    { limit: 1, since: null },
    present,
  );
  const isStanding = row !== null && row.deletedAt === null;
  const last = isStanding ? null : ((await lastStanding(connection, known.skillId)) ?? null);
  const keys = { skillId: known.skillId, path: known.path };
  const loads = isStanding
    ? loadRows(connection, [keys], { mapping: compileMapping(taxonomy.mapping) })
    : loadRevisions(connection, last === null ? [] : [{ ...keys, revision: last }]);
  const { value } = await oneByOne(loads).next();
  const content: Loaded = value ?? {
    path: known.path,
    problem: { reason: 'skill-not-found', path: known.path },
  };
  const state = isStanding ? 'standing' : row === null ? 'erased' : 'deleted';
  return { ok: true, value: { known, state, row, latest, lastStanding: last, content } };
}

/**
 * How the files hold a skill, of which only its own folder is read.
 *
 * @param stored what the database holds; undefined where it holds none, or none that can be read
 */
async function standsInFiles(
  config: Config,
  { path }: KnownSkill,
  stored: Skill | undefined,
): Promise<InFiles> {
  const directory = await openSkills(config);
  if (!directory.ok) return 'unknown';
  // As in a sync, no ignore rule reaches what the database holds.
  directory.value.hold(stored?.entries.map((entry) => `${path}/${entry.path}`) ?? []);
  const { value } = await oneByOne(directory.value.load([path])).next();
  if (value === undefined || 'problem' in value) {
    return value?.problem.reason === 'skill-not-found' ? 'absent' : 'unknown';
  }
  return stored && digestSkill(stored) === digestSkill(value.skill) ? 'same' : 'differs';
}
