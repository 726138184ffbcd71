// `validate`: skills against the rules of the specification and of practice. No database is asked.

import path from 'node:path';
import { type ExaminedConfig, examineConfig } from '../config/config.ts';
import { type Directory, type Listing, openDirectory } from '../directory/directory.ts';
import { defaultLimits } from '../directory/limits.ts';
import { answer, nodeDisk } from '../disk.ts';
import { workTree } from '../git/work-tree.ts';
import { type Outcome, refuse } from '../problem.ts';
import { interrupted, oneByOne } from '../replica.ts';
import { realPath } from '../report/github.ts';
import { ListedJson, problemJson } from '../report/json.ts';
import { noticeLines } from '../report/notice-text.ts';
import type { Output } from '../report/output.ts';
import { printableLine } from '../report/terminal-text.ts';
import { FixReport } from '../report/validation-fixes.ts';
import { FindingAnnotations } from '../report/validation-github.ts';
import { FindingsSarif } from '../report/validation-sarif.ts';
import {
  type Count,
  countLine,
  FindingLines,
  findingJson,
  fixableLine,
  type PlacedFinding,
} from '../report/validation-text.ts';
import { isOnGithub } from '../report/workflow-command.ts';
import { parseSkillPath, type SkillPath } from '../skill/path.ts';
import { isDocumentName } from '../skill/skill.ts';
import { trashOf } from '../state-directory.ts';
import type { Finding } from '../validation/finding.ts';
import { Policy } from '../validation/policy.ts';
import type { Target } from '../validation/rules.ts';
import { Validation } from '../validation/validation.ts';
import { programHome, programVersion } from '../version.ts';
import { configStart, type GlobalFlags, runUnconfigured, type Surroundings } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import type { Host } from './host.ts';
import { exitCodeUnder } from './interruption.ts';
import { check, judgeOf, tellsModes } from './skill-check.ts';
import { Fixing, type Home } from './validate-fix.ts';

/** In seconds, as that of a sync. */
const defaultLockTimeout = 60;

/** Flags of `validate`. */
export interface ValidateFlags extends GlobalFlags {
  readonly target?: Target;
  readonly maxWarnings?: number;
  readonly fix?: boolean;
  readonly dryRun?: boolean;
  readonly sarif?: boolean;
}

export const run = (flags: ValidateFlags, ...directories: readonly string[]): Promise<number> =>
  runValidate(flags, directories);

/**
 * Prints what the rules find in each directory, each a library or one skill. Creates and changes nothing, unless it is
 * asked to mend. Returns the exit code.
 */
export function runValidate(
  flags: ValidateFlags,
  directories: readonly string[],
  host?: Host,
): Promise<number> {
  const onlyReads = !flags.fix || flags.dryRun === true;
  const work = async ({ output, signal, host }: Omit<Surroundings, 'config'>): Promise<Outcome<number>> => {
    const config = await configOf(flags, host);
    if (!config.ok) return config;
    const { skillsDirectory, settings } = config.value;
    const target = flags.target ?? settings.validation.target ?? 'spec';
    const policy = new Policy(target, settings.validation);
    const named = directories.length > 0 ? directories : [path.relative('', skillsDirectory) || '.'];
    const libraries: Library[] = [];
    const report = new Report(flags, output, target, host.env);
    const fixing = flags.fix ? fixingOf(flags, config.value, report, output, signal) : undefined;
    try {
      for (const shown of named) {
        const opened = await openLibrary(shown, config.value, signal);
        if (!opened.ok) return opened;
        const begun = await fixing?.begin(homeOf(opened.value), opened.value.keepsModes);
        if (begun?.ok === false) return begun;
        // Another run may have written there meanwhile.
        const again = begun?.value ? await openLibrary(shown, config.value, signal) : opened;
        if (!again.ok) return again;
        libraries.push(again.value);
      }
      for (const library of libraries) {
        for await (const findings of findingsOf(library, policy, signal, fixing)) report.add(findings);
        if (!flags.quiet) report.notices(library.listing);
      }
    } catch (error) {
      if (!signal.aborted || !flags.json) throw error;
      return { ok: true, value: report.breakOff(signal) };
    } finally {
      await fixing?.end();
    }
    return { ok: true, value: report.end(await rootOf(libraries)) };
  };
  return runUnconfigured(flags, onlyReads, work, host);
}

function fixingOf(
  flags: ValidateFlags,
  { settings, stateDirectory }: ValidateConfig,
  report: Report,
  output: Output,
  signal: AbortSignal,
): Fixing {
  const isDryRun = flags.dryRun === true;
  report.fixes = new FixReport(output, {
    ...{ isDryRun, isText: !flags.json && !flags.sarif, quiet: flags.quiet === true },
    length: flags.verbose ? 'whole' : 'folded',
  });
  return new Fixing({
    ...{ disk: nodeDisk, isDryRun, report: report.fixes, signal },
    lockTimeoutMs: (flags.lockTimeout ?? defaultLockTimeout) * 1000,
    // As they are shown.
    takes: ({ severity }) => !flags.quiet || severity === 'error',
    open: async (root) => openAt(root, settings, await trashOf(nodeDisk, stateDirectory, root)),
    onWait: (holder) => {
      if (!flags.quiet) output.notice(`waiting for ${printableLine(holder)}, which works on these skills\n`);
    },
    onNotices: (notices) => {
      if (!flags.quiet) report.notices({ notices });
    },
  });
}

/** A library that is a part of the configured one is written as such: one lock keeps all others out. */
function homeOf({ directory, own, below }: Library): Home {
  if (below !== '') return { root: directory.root.slice(0, -below.length), prefix: below };
  return own === undefined
    ? { root: directory.root, prefix: '' }
    : { root: own.directory.root, prefix: `${own.path}/` };
}

type Settings = NonNullable<ExaminedConfig['settings']>;

export interface ValidateConfig {
  readonly skillsDirectory: string;
  readonly stateDirectory: string;
  readonly settings: Settings;
}

/** What of the configuration is needed here: not which database, nor whether there is one. */
export async function configOf(flags: GlobalFlags, host: Host): Promise<Outcome<ValidateConfig>> {
  const { problems, skillsDirectory, stateDirectory, settings } = await examineConfig(
    configStart(flags, host),
  );
  const problem = problems.find(({ reason }) => !reason.startsWith('database-url-'));
  if (problem !== undefined) return refuse(problem);
  if (skillsDirectory === undefined || settings === undefined)
    throw new Error('nothing is wrong, and something is missing');
  return { ok: true, value: { skillsDirectory: skillsDirectory.value, stateDirectory, settings } };
}

/** A directory that was named: a library, or a skill, which may have others below it. */
export interface Library {
  /** As it was named. */
  readonly shown: string;
  readonly directory: Directory;
  readonly listing: Listing;
  /** Where the directory is itself a skill: that skill, in the directory above. */
  readonly own: { readonly directory: Directory; readonly path: SkillPath } | undefined;
  /** Where it is a part of the configured skills directory: its path there, and a slash. */
  readonly below: string;
  /** Whether a skill that is not in it stands nowhere. */
  readonly isWhole: boolean;
  readonly keepsModes: boolean;
}

export async function openLibrary(
  named: string,
  { skillsDirectory, settings }: ValidateConfig,
  signal: AbortSignal,
): Promise<Outcome<Library>> {
  // As the reference validator does, a document stands for its folder.
  const shown = isDocumentName(path.basename(named)) ? path.dirname(named) : named;
  // Nothing is removed there.
  const open = (root: string) => openAt(root, settings, '');
  const opened = await open(path.resolve(shown));
  if (!opened.ok) return opened;
  const directory = opened.value;
  const listing = await directory.list(signal);
  const configured = await answer(nodeDisk.realpath(skillsDirectory));
  const way = configured.ok ? path.relative(configured.value, directory.root) : '..';
  const isPart = way !== '' && way !== '..' && !way.startsWith('../') && !path.isAbsolute(way);
  const library = {
    ...{ shown, directory, listing },
    below: isPart ? `${way}/` : '',
    keepsModes: await tellsModes(directory.root),
  };
  if (!listing.notices.some(({ notice }) => notice === 'root-document')) {
    return { ok: true, value: { ...library, own: undefined, isWhole: !isPart } };
  }
  const name = parseSkillPath(path.basename(directory.root));
  if (!name.ok) return name;
  const above = await open(path.dirname(directory.root));
  if (!above.ok) return above;
  return {
    ok: true,
    value: { ...library, own: { directory: above.value, path: name.value }, isWhole: false },
  };
}

function openAt(root: string, { ignore, limits }: Settings, trash: string): Promise<Outcome<Directory>> {
  return openDirectory({
    ...{ root, disk: nodeDisk, ignore, trash },
    limits: { ...defaultLimits, ...limits },
  });
}

/** What is found in each skill, in byte order of their paths; then what is found in all of them together. */
async function* findingsOf(
  library: Library,
  policy: Policy,
  signal: AbortSignal,
  fixing: Fixing | undefined,
): AsyncGenerator<Checked> {
  const { directory, listing, own, below, isWhole, shown, keepsModes } = library;
  const home = homeOf(library);
  if (own !== undefined) {
    const alone = judgeOf(
      new Validation(policy, below.slice(0, -1 - own.path.length)),
      own.directory.root,
      keepsModes,
    );
    const given = (finding: Finding) => placed(finding, shown, own.path);
    const site = {
      ...{ ...alone, home: { ...home, prefix: home.prefix.slice(0, -1 - own.path.length) }, placed: given },
      placeOf: () => shown,
    };
    const loads = own.directory.load([own.path]);
    for await (const loaded of oneByOne(fixing?.mending(loads, site) ?? loads)) {
      yield { skills: 1, findings: (await check(loaded, alone)).map(given) };
    }
  }
  const all = judgeOf(new Validation(policy, below), directory.root, keepsModes);
  const given = (finding: Finding) => placed(finding, shown);
  for (const { path, problem } of listing.unreadable) {
    yield { skills: 1, findings: all.validation.unreadable(path, problem).map(given) };
  }
  const site = { ...all, home, placed: given, placeOf: (skill: SkillPath) => path.join(shown, skill) };
  const loads = directory.load(listing.paths);
  for await (const loaded of oneByOne(fixing?.mending(loads, site) ?? loads)) {
    signal.throwIfAborted();
    yield { skills: 1, findings: (await check(loaded, all)).map(given) };
  }
  yield { skills: 0, findings: all.validation.library(isWhole).map(given) };
}

interface Checked {
  readonly skills: number;
  readonly findings: readonly PlacedFinding[];
}

/** @param own the skill that the directory itself is */
function placed(finding: Finding, shown: string, own?: string): PlacedFinding {
  const folder = own === undefined ? path.join(shown, finding.skill) : shown;
  return { finding, place: path.join(folder, finding.file ?? '') };
}

/** The folder that the first directory's repository begins at; where it is in none, the working directory. */
async function rootOf([first]: readonly Library[]): Promise<string> {
  return realPath((first && (await workTree(first.directory.root))) ?? process.cwd());
}

/** Says what is found as it comes; for SARIF, which has the gravest first, at the end. */
class Report {
  readonly #flags: ValidateFlags;
  readonly #output: Output;
  readonly #target: Target;
  readonly #lines: FindingLines;
  readonly #json: ListedJson;
  readonly #sarif = new FindingsSarif();
  readonly #annotations: FindingAnnotations | undefined;
  readonly #count = { errors: 0, warnings: 0, infos: 0, fixable: 0, skills: 0 };
  /** What was mended, where that was asked for. */
  fixes: FixReport | undefined;

  constructor(flags: ValidateFlags, output: Output, target: Target, env: Host['env']) {
    this.#flags = flags;
    this.#output = output;
    this.#target = target;
    this.#annotations = isOnGithub(env) ? new FindingAnnotations(env) : undefined;
    this.#lines = new FindingLines(output.colors);
    this.#json = new ListedJson(output.result, { target }, 'findings');
  }

  add({ skills, findings }: Checked): void {
    this.#count.skills += skills;
    for (const { finding } of findings) {
      this.#count[counters[finding.severity]]++;
      if (finding.fixable) this.#count.fixable++;
    }
    this.#annotations?.add(findings);
    if (this.#flags.sarif) this.#sarif.add(findings);
    else if (this.#flags.json) this.#json.add(findings.map(findingJson));
    else this.#print(findings);
  }

  #print(findings: readonly PlacedFinding[]): void {
    const shown = this.#flags.quiet
      ? findings.filter(({ finding }) => finding.severity === 'error')
      : findings;
    if (shown.length > 0) this.#output.result(this.#lines.lines(shown));
  }

  notices({ notices }: Pick<Listing, 'notices'>): void {
    for (const notice of notices) {
      if (notice.notice !== 'root-document')
        this.#output.notice(noticeLines(notice, this.#flags.verbose === true));
    }
  }

  /** Makes the object whole that was begun. Returns the exit code. */
  breakOff(signal: AbortSignal): number {
    const { skills, ...summary } = this.#count;
    const exitCode = exitCodeUnder(signal, exitCodes.failed);
    this.#json.end({ skills, summary, problems: [problemJson(interrupted)], exitCode });
    return exitCode;
  }

  /** Returns the exit code. */
  end(root: string): number {
    const { skills, ...summary }: Count = this.#count;
    const { json, sarif, maxWarnings = Number.POSITIVE_INFINITY } = this.#flags;
    const isFailed = summary.errors > 0 || summary.warnings > maxWarnings || this.fixes?.hasFailed === true;
    const exitCode = isFailed ? exitCodes.failed : exitCodes.done;
    if (json) this.#json.end({ skills, summary, ...(this.fixes && { fix: this.fixes.json() }), exitCode });
    else if (sarif) {
      const program = { version: programVersion(), home: programHome() };
      this.#output.result(this.#sarif.text({ ...program, target: this.#target, root, exitCode }));
    } else this.#output.result(countLine(this.#count) + (this.fixes?.summary() ?? fixableLine(this.#count)));
    // Past the output, in which nothing is a command to the runner.
    if (this.#annotations) process.stderr.write(this.#annotations.lines());
    return exitCode;
  }
}

const counters = { error: 'errors', warn: 'warnings', info: 'infos' } as const;
