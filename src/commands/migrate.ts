// `migrate`: brings the database's tables to the shape that this program needs, or shows how they stand.

import { nodeDisk } from '../disk.ts';
import { jsonText } from '../report/json.ts';
import { type MigrationState, migrate } from '../repository/migrate.ts';
import { connect, migrationsOf } from '../repository/open.ts';
import { makeStateDirectory } from '../state-directory.ts';
import { type GlobalFlags, runCommand, type Surroundings, withConnection } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { chosenAlone } from './sides.ts';

/** Flags of `migrate`. */
export interface MigrateFlags extends GlobalFlags {
  /** Show, and change nothing. */
  readonly status?: boolean;
}

/** Applies pending migrations, or prints all with the time when each was applied. */
export function run(flags: MigrateFlags): Promise<number> {
  return runCommand(flags, flags.status === true, (around) =>
    flags.status ? show(flags, around) : apply(flags, around),
  );
}

async function show({ json }: MigrateFlags, { config, output, connecting }: Surroundings) {
  const chosen = await chosenAlone(config);
  if (!chosen.ok) return chosen;
  const migrations = await migrationsOf(chosen.value, nodeDisk, connecting);
  if (!migrations.ok) return migrations;
  const { value } = migrations;
  output.result(json ? jsonText({ migrations: value }) : value.map(migrationLine).join(''));
  return { ok: true, value: exitCodes.done } as const;
}

async function apply({ json }: MigrateFlags, { config, output, connecting }: Surroundings) {
  const chosen = await chosenAlone(config);
  if (!chosen.ok) return chosen;
  await makeStateDirectory(nodeDisk, config.stateDirectory);
  const connection = await connect(chosen.value, nodeDisk, connecting);
  if (!connection.ok) return connection;
  return withConnection(connection.value, async () => {
    const applied = await migrate(connection.value);
    if (!applied.ok) return applied;
    output.result(json ? jsonText({ applied: applied.value }) : appliedLines(applied.value));
    return { ok: true, value: exitCodes.done };
  });
}

function migrationLine({ name, appliedAt }: MigrationState): string {
  return `${name}  ${appliedAt === null ? 'pending' : `applied ${appliedAt.toISOString()}`}\n`;
}

function appliedLines(names: readonly string[]): string {
  return names.length === 0 ? 'Nothing to apply.\n' : names.map((name) => `applied ${name}\n`).join('');
}
