#!/usr/bin/env node
// The command line: commands, flags and help. A command's code is loaded when it runs, so help is instant.

import { Argument, Command, CommanderError, Help, InvalidArgumentError, Option } from 'commander';
import { durationMs } from './commands/duration.ts';
import { failUnwritten } from './commands/interruption.ts';
import { programVersion } from './version.ts';

const exitWrongUsage = 64;
const exitFailed = 1;

/** What each file of `commands/` exports. */
interface CommandModule {
  run(flags: object, ...names: readonly string[]): Promise<number>;
}

/** The values of `skill_status_enum`, written here too: importing them would be the only import of help. */
const statuses = ['active', 'draft', 'deprecated', 'archived'];

/** The targets of validate; likewise. */
const targets = ['spec', 'skill-fleet', 'claude-code', 'claude-api', 'codex', 'copilot', 'openclaw'];

/** The shells that completion has a script for. */
const shells = ['bash', 'zsh', 'fish'] as const;

const seconds = numberUpTo(86_400);
/** A thousand years, and what no skill reaches. */
const days = wholeNumber(0, 365_000);
const revisionCount = wholeNumber(0, 1_000_000_000);
/** What numbers of runs and revisions can be. */
const serial = wholeNumber(1, 999_999_999_999_999);

function addCommand(
  name: string,
  summary: string,
  load: () => Promise<CommandModule>,
  examples: readonly string[],
): Command {
  return program
    .command(name)
    .summary(summary)
    .description(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`)
    .addHelpText('after', `\nExamples:\n${examples.map((example) => `  $ ${example}\n`).join('')}`)
    .action(async (...given: readonly unknown[]) => {
      // commander hands over the arguments, of which one may be a list, then the options, then the command.
      const names = given.slice(0, -2).flat() as readonly string[];
      process.exitCode = await (await load()).run(given.at(-2) as object, ...names);
    });
}

/** Sentences of a help text, as wide as commander makes the rest. */
function prose(text: string): string {
  return new Help().boxWrap(text, process.stdout.columns ?? 80);
}

/** Flags of all commands: help shows them after the command's own. */
function addSharedOptions(command: Command): void {
  command
    .optionsGroup('The two sides:')
    .option('--skills-dir <dir>', 'folder that holds the skills (SKILLS_DIR; default: skills)')
    .option('--database-url <url>', 'postgres://… or pglite:DIR (DATABASE_URL; default: embedded)')
    .option('--env-file <file>', 'read variables from this file instead of .env')
    .option('--config <file>', 'configuration file (default: skill-fleet.config.yaml, .yml or .json)')
    .optionsGroup('Waiting:')
    .option(
      '--connect-timeout <seconds>',
      'how long to try to reach the server (PGCONNECT_TIMEOUT; default: 10)',
      seconds,
    )
    .option('--lock-timeout <seconds>', 'how long to wait for other runs and writers (default: 60)', seconds)
    .option('--statement-timeout <seconds>', 'end a database statement that takes longer', seconds)
    .optionsGroup('Output:')
    .option('--json', 'print one JSON object')
    .option('--quiet', 'print less')
    .option('--verbose', 'print more')
    .option('--no-color', 'print without colour (NO_COLOR)')
    .option('--no-progress', 'do not show how far a long run has come');
}

/** Reads a number of at least 0 and at most `most`. */
function numberUpTo(most: number): (text: string) => number {
  return (text) => {
    const isNumber = /^\d+(\.\d+)?$/.test(text) && Number(text) <= most;
    if (!isNumber) throw new InvalidArgumentError(`Write a number from 0 to ${most}.`);
    return Number(text);
  };
}

/** The same, of whole numbers. */
function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const isNumber = /^\d{1,15}$/.test(text) && Number(text) >= least && Number(text) <= most;
    if (!isNumber) throw new InvalidArgumentError(`Write a whole number from ${least} to ${most}.`);
    return Number(text);
  };
}

/** Reads `7d`, `12h` or `30m`: milliseconds. */
function duration(text: string): number {
  const ms = durationMs(text);
  if (ms === undefined) throw new InvalidArgumentError('Write how long: 7d, 12h, 30m.');
  return ms;
}

/** Reads a date, a time, or how long ago, as `7d`. Where no zone is named it is UTC, as log prints times. */
function pastTime(text: string): Date | number {
  const agoMs = durationMs(text);
  if (agoMs !== undefined) return agoMs;
  const [, day = '', clock = '00:00', zone = 'Z'] =
    /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:\d\d)?)?$/.exec(text) ?? [];
  const [midnight, time] = [new Date(`${day}T00:00Z`), new Date(`${day}T${clock}${zone}`)];
  // A 31st of February would be read as a day of March.
  if (Number.isNaN(+time) || !midnight.toISOString().startsWith(day)) {
    throw new InvalidArgumentError('Write 2026-01-31, 2026-01-31T12:00:00Z, or how long ago: 7d, 12h, 30m.');
  }
  return time;
}

/** Reads `N` or `N..M`. */
function revisions(text: string): { readonly from?: number; readonly to: number } {
  const [, first, second] = /^(\d{1,15})(?:\.\.(\d{1,15}))?$/.exec(text) ?? [];
  if (first === undefined) throw new InvalidArgumentError('Write N or N..M, and the path before --diff.');
  return second === undefined ? { to: Number(first) } : { from: Number(first), to: Number(second) };
}

/** How a dry run prints what differs. */
function diffOption(): Option {
  return new Option('--diff <form>', 'what a dry run prints of each difference (default: full)').choices([
    'full',
    'stat',
    'none',
  ]);
}

/** The flags of the three commands that sync. */
function addSyncOptions(command: Command): Command {
  return command
    .option('--dry-run', 'show what would happen to each skill, and why; change nothing')
    .addOption(diffOption())
    .option('--out <file>', 'with --dry-run: save the plan, for apply; it holds what the skills hold')
    .option('--skill-path <glob...>', 'only skills at these paths; * within a folder, ** across folders')
    .option('--force', 'overwrite what the other side gained; it is stored in the history first')
    .option('--delete', 'carry out deletions, which are held otherwise; all can be taken back')
    .option(
      '--max-delete <percent>',
      'refuse from the fourth deletion on, above this part of a side (default: 25)',
      numberUpTo(100),
    )
    .option('--yes', 'go past the guards against accidents')
    .addOption(
      new Option(
        '--exit-code [pending]',
        'exit 2 when anything is pending, holds included; =theirs: only where the database is ahead; =conflicts: never',
      ).choices(['pending', 'theirs', 'conflicts']),
    )
    .hook('preAction', (command) => {
      const { out, dryRun } = command.opts();
      if (out !== undefined && !dryRun) {
        command.error('error: --out saves the plan that a dry run prints: add --dry-run');
      }
    });
}

const statusOption = new Option('--status <status>', 'only rows of this status').choices([
  ...statuses,
  'all',
]);

const program = new Command('skill-fleet')
  .description('Keeps agent skills in git and in Postgres the same, both ways, byte for byte.')
  .version(programVersion())
  .showSuggestionAfterError()
  .configureOutput({ outputError: () => {} })
  .configureHelp({ sortSubcommands: false })
  .addHelpText(
    'after',
    `
Examples:
  $ skill-fleet sync-db --dry-run        what would change, on both sides
  $ skill-fleet sync-db                  carry it out
  $ skill-fleet list --filter docker     ask the library

${prose('Without DATABASE_URL an embedded database in .skill-fleet/db serves (docs/guide/embedded-database.md).')}

${prose('Exit codes: 0 done, 1 something failed, 2 pending (--exit-code) or not equal (verify), 3 conflicts, 64 wrong usage')}`,
  );

addSyncOptions(
  addCommand('sync-db', 'carry changes both ways, in one plan', () => import('./commands/sync-db.ts'), [
    'skill-fleet sync-db',
    'skill-fleet sync-db --dry-run --exit-code',
  ]),
)
  .addOption(statusOption)
  .addOption(
    new Option(
      '--on-conflict <policy>',
      'who wins where both sides were edited (default: newest); what loses is stored first',
    ).choices(['newest', 'local', 'database', 'merge', 'fail']),
  );

addSyncOptions(
  addCommand(
    'export-to-db',
    "carry the files' changes to the database",
    () => import('./commands/export-to-db.ts'),
    ['skill-fleet export-to-db --dry-run', "skill-fleet export-to-db --skill-path 'development/**'"],
  ),
).addOption(
  new Option(
    '--validate <level>',
    'about what validate finds in the skills that are sent: warn tells it, error refuses errors (validation.export; default: warn)',
  ).choices(['off', 'warn', 'error']),
);

addSyncOptions(
  addCommand(
    'import-from-db',
    "carry the database's changes to the files",
    () => import('./commands/import-from-db.ts'),
    ['skill-fleet import-from-db --status draft', 'skill-fleet import-from-db --dry-run'],
  ),
).addOption(statusOption);

addCommand(
  'apply <file>',
  'carry out a plan that --dry-run --out saved, and nothing else',
  () => import('./commands/apply.ts') as Promise<CommandModule>,
  ['skill-fleet sync-db --dry-run --out plan.json', 'skill-fleet apply plan.json --atomic'],
)
  .option('--atomic', 'all of it or nothing')
  .option('--dry-run', 'show what of it is left to do; change nothing')
  .addOption(diffOption());

addCommand('status', 'show how the files and the database stand', () => import('./commands/status.ts'), [
  'skill-fleet status',
  'skill-fleet status --exit-code --max-age 7d --json',
])
  .option('--exit-code', 'exit 2 when it is not healthy: a conflict, a problem, a last run that failed')
  .option(
    '--max-age <duration>',
    'not healthy, too, when the last good run is older: 7d, 12h, 30m (health.maxAge)',
    duration,
  );

addCommand('list', 'list the skills in the database', () => import('./commands/list.ts'), [
  'skill-fleet list --filter docker',
  'skill-fleet list --category development/languages --json',
  'skill-fleet list --tag python --sort updated --limit 10',
])
  .option('--filter <text>', 'full text in name, description and body, or part of a path or name')
  .addOption(new Option('--status <status>', 'only skills of this status').choices(statuses))
  .option('--category <category>', 'only skills of this category and those below it')
  .option('--tag <tag>', 'only skills with this tag')
  .addOption(
    new Option('--sort <order>', 'in which order (default: rank with --filter, else path)').choices([
      'path',
      'name',
      'updated',
      'rank',
    ]),
  )
  .option('--limit <number>', 'how many to show (default: all)', wholeNumber(1, 1_000_000_000))
  .option('--offset <number>', 'how many to leave out first', wholeNumber(0, 1_000_000_000));

addCommand(
  'show <path>',
  'show one skill: its fields, relations and files',
  () => import('./commands/show.ts') as Promise<CommandModule>,
  [
    'skill-fleet show development/languages/python/async',
    'skill-fleet show development/languages/python/async --raw > SKILL.md',
  ],
).addOption(new Option('--raw', "print the document's bytes, and nothing else").conflicts(['json']));

addCommand(
  'diff [paths...]',
  'show what the files and the database hold differently',
  () => import('./commands/diff.ts') as Promise<CommandModule>,
  ['skill-fleet diff', "skill-fleet diff 'development/**'", 'skill-fleet diff --conflict'],
).option('--conflict', 'only conflicts: what each side made of what both agreed on');

addCommand(
  'verify',
  'read both sides anew and prove them equal byte by byte; exit 2 where they are not',
  () => import('./commands/verify.ts'),
  ['skill-fleet verify', 'skill-fleet verify --json'],
);

addCommand(
  'validate [dirs...]',
  "check skills against the specification's rules and those of practice; no database is asked",
  () => import('./commands/validate.ts') as Promise<CommandModule>,
  [
    'skill-fleet validate',
    'skill-fleet validate skills/development/review --target claude-code',
    'skill-fleet validate --max-warnings 0 --json',
    'skill-fleet validate --fix --dry-run',
    'skill-fleet validate --sarif > results.sarif',
  ],
)
  .addOption(
    new Option(
      '--target <target>',
      'whom the skills are for (validation.target; default: spec, the specification)',
    ).choices(targets),
  )
  .option(
    '--max-warnings <number>',
    'exit 1 when there are more warnings than that (default: any number is fine)',
    wholeNumber(0, 1_000_000_000),
  )
  .addOption(
    new Option('--sarif', 'print SARIF 2.1.0, for code scanning: --sarif > results.sarif').conflicts([
      'json',
    ]),
  )
  .option('--fix', 'mend by itself what needs no person; docs/rules says of each rule what that is')
  .option('--dry-run', 'with --fix: show what would be mended, and exit as --fix would; change nothing')
  .hook('preAction', (command) => {
    const { fix, dryRun } = command.opts();
    if (dryRun && !fix) command.error('error: validate changes nothing by itself: --dry-run goes with --fix');
  });

addCommand(
  'to-prompt [dirs...]',
  'print the skills as a block of a prompt, <available_skills>; no database is asked',
  () => import('./commands/to-prompt.ts') as Promise<CommandModule>,
  ['skill-fleet to-prompt > skills.xml', 'skill-fleet to-prompt skills/development skills/docker'],
);

addCommand(
  'read-properties <dir>',
  'print what the document of one skill says of it, as JSON; no database is asked',
  () => import('./commands/read-properties.ts') as Promise<CommandModule>,
  ['skill-fleet read-properties skills/docker'],
);

addCommand(
  'resolve <path>',
  'settle one conflict',
  () => import('./commands/resolve.ts') as Promise<CommandModule>,
  [
    'skill-fleet resolve development/languages/python/async --with local',
    'skill-fleet resolve development/languages/python/async --with merged.md',
  ],
)
  .requiredOption(
    '--with <local|database|file>',
    "local: the files' version; database: the database's; else a document, or the folder of a skill",
  )
  .option('--dry-run', 'show what would happen; change nothing')
  .addOption(diffOption());

addCommand(
  'log [path]',
  "show past runs, or a skill's revisions",
  () => import('./commands/log.ts') as Promise<CommandModule>,
  [
    'skill-fleet log --since 7d',
    'skill-fleet log development/languages/python/async',
    'skill-fleet log development/languages/python/async --diff 12..15',
  ],
)
  .option(
    '--diff [revision]',
    "with a path: each revision's changes; N: that one's; N..M: from N to M",
    revisions,
  )
  .option('--since <time>', 'nothing older: a date, a time, or how long ago, as 7d, 12h, 30m', pastTime)
  .option('--limit <number>', 'how many to show', wholeNumber(1, 1_000_000_000), 20)
  .hook('preAction', (command) => {
    if (command.opts()['diff'] !== undefined && command.args.length === 0) {
      command.error('error: --diff shows the revisions of a skill: write its path before it');
    }
  });

addCommand(
  'restore <path>',
  'make an old revision of a skill the current one in the database',
  () => import('./commands/restore.ts') as Promise<CommandModule>,
  [
    'skill-fleet restore development/languages/python/async --revision 12 --dry-run',
    'skill-fleet restore development/languages/python/async --revision 12',
  ],
)
  .requiredOption('--revision <number>', 'the revision, as a run or log printed it', serial)
  .option('--dry-run', 'show what would become different; change nothing');

addCommand(
  'undo',
  'take back what a run did, on both sides',
  () => import('./commands/undo.ts') as Promise<CommandModule>,
  ['skill-fleet undo --dry-run', 'skill-fleet undo', 'skill-fleet undo 12 --yes'],
)
  .addArgument(
    new Argument('[run]', 'its number, as log shows it (default: the latest not taken back yet)').argParser(
      (text) => `${serial(text)}`,
    ),
  )
  .option('--dry-run', 'show what would be taken back; change nothing')
  .addOption(diffOption())
  .option('--skill-path <glob...>', 'only skills at these paths; * within a folder, ** across folders')
  .option('--force', 'also what changed since the run; it is stored in the history first')
  .option(
    '--max-delete <percent>',
    'refuse from the fourth deletion on, above this part of a side (default: 25)',
    numberUpTo(100),
  )
  .option('--yes', 'go past the guards against accidents');

addCommand(
  'prune',
  'give up the contents of old revisions; their digests stay, and what undo or a sync needs',
  () => import('./commands/prune.ts') as Promise<CommandModule>,
  ['skill-fleet prune --dry-run', 'skill-fleet prune --keep-last 3 --keep-days 30'],
)
  .option(
    '--keep-last <number>',
    'keep so many of the latest revisions of each skill, its present state not counted',
    revisionCount,
    10,
  )
  .option('--keep-days <days>', 'keep what was replaced in so many days', days, 90)
  .option('--dry-run', 'show how much would be given up; change nothing');

addCommand('migrate', "bring the database's tables up to date", () => import('./commands/migrate.ts'), [
  'skill-fleet migrate --status',
  'skill-fleet migrate',
]).option('--status', 'show the migrations and change nothing');

addCommand(
  'doctor',
  'look at all that a sync rests on, and say what to do about what is not well; change nothing',
  () => import('./commands/doctor.ts'),
  ['skill-fleet doctor', 'skill-fleet doctor --quiet', 'skill-fleet doctor --json'],
);

const completion = addCommand(
  'completion',
  'print a completion script for a shell',
  async () => {
    const { run } = await import('./commands/completion.ts');
    return { run: (_, shell) => run(program, shell as (typeof shells)[number]) };
  },
  [
    'source <(skill-fleet completion bash)                           in ~/.bashrc; bash 3: eval "$(…)"',
    'skill-fleet completion zsh > ~/.zsh/completions/_skill-fleet    any folder in fpath, then a new shell',
    'skill-fleet completion fish > ~/.config/fish/completions/skill-fleet.fish',
  ],
)
  .addArgument(new Argument('<shell>', 'the shell').choices(shells))
  .addHelpText(
    'after',
    `${prose('It completes commands, options, their values, and paths of skills, from the folders; no database is asked. It serves skill-fleet by whatever path it is called. For npx, let the shell know it by its name:')}
  skill-fleet() { npx skill-fleet "$@"; }
`,
  );

/** What 2 says where it does not say that something is pending. */
const twos: { readonly [command: string]: readonly string[] } = {
  status: ['2 not healthy (--exit-code)'],
  verify: ['2 not equal'],
};

/** What each command says by its exit code, beside 64 for wrong usage. */
function exitCodesOf(command: Command): string {
  const has = (flag: string) => command.options.some(({ long }) => long === flag);
  const codes = [
    '0 done',
    '1 something failed',
    ...(twos[command.name()] ?? (has('--exit-code') ? ['2 pending (--exit-code)'] : [])),
    ...(has('--diff') && command.name() !== 'log' ? ['3 conflicts left undecided'] : []),
    '64 wrong usage',
  ];
  return prose(`Exit codes: ${codes.join(', ')}`);
}

const groups: { readonly [heading: string]: readonly string[] } = {
  'Sync:': ['sync-db', 'export-to-db', 'import-from-db', 'apply', 'resolve'],
  'Look:': ['status', 'list', 'show', 'diff', 'verify', 'validate', 'to-prompt', 'read-properties'],
  'History:': ['log', 'restore', 'undo', 'prune'],
  'Database:': ['migrate', 'doctor'],
  'Shell:': ['completion'],
};

for (const command of program.commands) {
  command.addHelpText('after', exitCodesOf(command));
  // It works on neither side.
  if (command !== completion) addSharedOptions(command);
  const [heading] = Object.entries(groups).find(([, names]) => names.includes(command.name())) ?? [];
  if (heading !== undefined) command.helpGroup(heading);
}

/** The command that commander refused, or answered by itself. */
let ended = program;
for (const command of [program, ...program.commands]) {
  command.exitOverride((error) => {
    ended = command;
    throw error;
  });
}

/** Says what was wrong with the command line. */
async function endUsage(error: unknown): Promise<void> {
  if (!(error instanceof CommanderError)) throw error;
  if (error.exitCode === 0) return;
  process.exitCode = exitWrongUsage;
  // Without a command commander has shown the whole help.
  if (error.code === 'commander.help') return;
  const { run } = await import('./commands/wrong-usage.ts');
  const [name = ''] = ended === program ? program.args : [];
  const meant = program.commands
    .map((one) => one.name())
    .filter((one) => name !== '' && one.startsWith(name));
  const called = ended === program ? 'skill-fleet' : `skill-fleet ${ended.name()}`;
  process.exitCode = run(process.argv, error.message, called, meant);
}

/** The command line. Of a command that is unknown commander's help would show all help there is, and not say so. */
function argumentsOf([, , ...args]: readonly string[]): readonly string[] {
  const [first, asked] = args;
  const isUnknown =
    first === 'help' && asked !== undefined && !program.commands.some((one) => one.name() === asked);
  return isUnknown ? [asked] : args;
}

failUnwritten();

try {
  await program.parseAsync(argumentsOf(process.argv), { from: 'user' }).catch(endUsage);
} catch (error) {
  const { message, stack } = error as Error;
  const isVerbose = process.argv.includes('--verbose');
  process.stderr.write(
    `error: skill-fleet met a fault of its own: ${message}\n${isVerbose ? `${stack}\n` : '  Please report it, with what --verbose shows.\n'}`,
  );
  // What the fault left open, a connection say, would be waited for.
  process.exit(exitFailed);
}
