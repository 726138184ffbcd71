// `read-properties`: what the document of one skill says of it, as JSON. No database is asked.

import { refuse } from '../problem.ts';
import { jsonText, printableJson } from '../report/json.ts';
import { propertiesOf } from './available-skills.ts';
import { type GlobalFlags, runUnconfigured } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { configOf, openLibrary } from './validate.ts';

/** Prints the properties of the skill in a directory. Creates and changes nothing. Returns the exit code. */
export function run(flags: GlobalFlags, directory = ''): Promise<number> {
  return runUnconfigured(flags, true, async ({ output, signal, host }) => {
    const config = await configOf(flags, host);
    if (!config.ok) return config;
    const opened = await openLibrary(directory, config.value, signal);
    if (!opened.ok) return opened;
    const { own } = opened.value;
    const found = own && (await propertiesOf(own.directory, [own.path]).next()).value;
    if (!found) return refuse({ reason: 'no-skill-there', directory });
    if (!found.ok) return found;
    const { location, properties } = found.value;
    output.result(
      flags.json
        ? jsonText({ location, properties, exitCode: exitCodes.done })
        : `${printableJson(properties)}\n`,
    );
    return { ok: true, value: exitCodes.done };
  });
}
