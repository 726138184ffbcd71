// `doctor`: looks at all that a sync rests on, and says of each thing that is not well what to do.

import { type ExaminedConfig, examineConfig } from '../config/config.ts';
import { type Directory, openDirectory } from '../directory/directory.ts';
import { defaultLimits } from '../directory/limits.ts';
import { nodeDisk } from '../disk.ts';
import type { Outcome } from '../problem.ts';
import { commandText } from '../report/command-text.ts';
import { doctorLines, summaryOf } from '../report/doctor-text.ts';
import { jsonText } from '../report/json.ts';
import { trashOf } from '../state-directory.ts';
import { configStart, type GlobalFlags, runUnconfigured } from './command.ts';
import { configurationChecks } from './doctor-configuration.ts';
import { databaseChecks } from './doctor-database.ts';
import { directoryChecks } from './doctor-directory.ts';
import { gitChecks } from './doctor-git.ts';
import { exitCodes } from './exit-codes.ts';

/** Prints what was looked at and found. Goes on whatever fails; creates and changes nothing. Returns the exit code. */
export function run(flags: GlobalFlags): Promise<number> {
  return runUnconfigured(flags, true, async ({ output, connecting, host }) => {
    const { skillsDir, config, envFile, databaseUrl } = flags;
    const sides = {
      ...(skillsDir !== undefined && { skillsDir }),
      ...(config !== undefined && { config }),
      ...(envFile !== undefined && { envFile }),
      ...(databaseUrl !== undefined && { databaseUrl }),
    };
    const words = { command: (text: string) => `skill-fleet ${commandText(text, sides)}` };
    const examined = await examineConfig(configStart(flags, host));
    const directory = await openExamined(examined);
    const root = directory?.ok ? directory.value.root : undefined;
    const checks = [
      ...(await configurationChecks(examined, flags, host.env)),
      ...(await databaseChecks(examined, root, connecting, words)),
      ...(await directoryChecks(examined, directory, words)),
      ...(await gitChecks(examined, root)),
    ];
    const summary = summaryOf(checks);
    const exitCode = summary.failed > 0 ? exitCodes.failed : exitCodes.done;
    output.result(
      flags.json
        ? jsonText({ checks, summary, exitCode })
        : doctorLines(checks, flags.quiet === true, output.colors),
    );
    return { ok: true, value: exitCode };
  });
}

/** The skills directory; undefined where the configuration does not tell which. */
async function openExamined({
  skillsDirectory,
  stateDirectory,
  settings,
}: ExaminedConfig): Promise<Outcome<Directory> | undefined> {
  if (skillsDirectory === undefined) return undefined;
  return openDirectory({
    root: skillsDirectory.value,
    disk: nodeDisk,
    ignore: settings?.ignore ?? [],
    limits: { ...defaultLimits, ...settings?.limits },
    trash: await trashOf(nodeDisk, stateDirectory, skillsDirectory.value),
  });
}
