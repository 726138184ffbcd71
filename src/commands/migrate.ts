// `migrate`: brings the database's tables to the shape that this program needs, or shows how they stand.

import { nodeDisk } from '../disk.ts';
import { jsonText } from '../report/json.ts';
import { inspectSchema, type MigrationState, migrate } from '../repository/migrate.ts';
import { connect } from '../repository/open.ts';
import { makeStateDirectory } from '../state-directory.ts';
import { exitCodes, type GlobalFlags, runCommand, withConnection } from './command.ts';

/** Flags of `migrate`. */
export interface MigrateFlags extends GlobalFlags {
  /** Show, and change nothing. */
  readonly status?: boolean;
}

/** Applies pending migrations, or prints all with the time when each was applied. */
export function run(flags: MigrateFlags): Promise<number> {
  return runCommand(flags, async ({ config, output }) => {
    if (!flags.status) await makeStateDirectory(config.stateDirectory);
    const connection = await connect(config.database, nodeDisk);
    if (!connection.ok) return connection;
    return withConnection(connection.value, async () => {
      const applied = flags.status ? undefined : await migrate(connection.value);
      if (applied && !applied.ok) return applied;
      const schema = await inspectSchema(connection.value);
      if (!schema.ok) return schema;
      const { migrations } = schema.value;
      output.result(
        flags.json
          ? jsonText({ migrations, applied: applied?.value ?? [] })
          : flags.status
            ? migrations.map(migrationLine).join('')
            : appliedLines(applied?.value ?? []),
      );
      return { ok: true, value: exitCodes.done };
    });
  });
}

function migrationLine({ name, appliedAt }: MigrationState): string {
  return `${name}  ${appliedAt === null ? 'pending' : `applied ${appliedAt.toISOString()}`}\n`;
}

function appliedLines(names: readonly string[]): string {
  return names.length === 0 ? 'Nothing to apply.\n' : names.map((name) => `applied ${name}\n`).join('');
}
