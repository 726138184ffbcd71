// `validate`: skills against the rules of the specification and of practice. No database is asked.

import path from 'node:path';
import { type ExaminedConfig, examineConfig } from '../config/config.ts';
import { type Directory, type Listing, openDirectory } from '../directory/directory.ts';
import { defaultLimits } from '../directory/limits.ts';
import { answer, nodeDisk } from '../disk.ts';
import { fileModesAreKept } from '../git/file-modes.ts';
import { type Outcome, refuse } from '../problem.ts';
import { type Loaded, oneByOne } from '../replica.ts';
import { jsonText } from '../report/json.ts';
import { noticeLines } from '../report/notice-text.ts';
import type { Output } from '../report/output.ts';
import { annotateFindings } from '../report/validation-github.ts';
import {
  type Count,
  countLine,
  FindingLines,
  findingJson,
  type PlacedFinding,
} from '../report/validation-text.ts';
import { isOnGithub } from '../report/workflow-command.ts';
import { parseSkillPath, type SkillPath } from '../skill/path.ts';
import { isDocumentName } from '../skill/skill.ts';
import { lostTargets } from '../validation/body-rules.ts';
import type { Finding } from '../validation/finding.ts';
import { Policy } from '../validation/policy.ts';
import type { Target } from '../validation/rules.ts';
import { readSubject, type Subject } from '../validation/subject.ts';
import { Validation } from '../validation/validation.ts';
import { type GlobalFlags, runUnconfigured } from './command.ts';
import { exitCodes } from './exit-codes.ts';

/** Flags of `validate`. */
export interface ValidateFlags extends GlobalFlags {
  readonly target?: Target;
  readonly maxWarnings?: number;
}

/** Prints what the rules find in each directory, each a library or one skill. Creates and changes nothing. */
export function run(flags: ValidateFlags, ...directories: readonly string[]): Promise<number> {
  return runUnconfigured(flags, true, async ({ output, signal }) => {
    const config = await configOf(flags);
    if (!config.ok) return config;
    const { skillsDirectory, settings } = config.value;
    const target = flags.target ?? settings.validation.target ?? 'spec';
    const policy = new Policy(target, settings.validation);
    const named = directories.length > 0 ? directories : [path.relative('', skillsDirectory) || '.'];
    const libraries: Library[] = [];
    for (const shown of named) {
      const opened = await openLibrary(shown, config.value, signal);
      if (!opened.ok) return opened;
      libraries.push(opened.value);
    }
    const report = new Report(flags, output);
    for (const library of libraries) {
      for await (const findings of findingsOf(library, policy, signal)) report.add(findings);
      if (!flags.quiet) report.notices(library.listing);
    }
    return { ok: true, value: report.end(target) };
  });
}

type Settings = NonNullable<ExaminedConfig['settings']>;

interface ValidateConfig {
  readonly skillsDirectory: string;
  readonly settings: Settings;
}

/** What of the configuration is needed here: not which database, nor whether there is one. */
async function configOf(flags: ValidateFlags): Promise<Outcome<ValidateConfig>> {
  const { problems, skillsDirectory, settings } = await examineConfig({
    flags,
    env: process.env,
    cwd: process.cwd(),
  });
  const problem = problems.find(({ reason }) => !reason.startsWith('database-url-'));
  if (problem !== undefined) return refuse(problem);
  if (skillsDirectory === undefined || settings === undefined)
    throw new Error('nothing is wrong, and something is missing');
  return { ok: true, value: { skillsDirectory: skillsDirectory.value, settings } };
}

/** A directory that was named: a library, or a skill, which may have others below it. */
interface Library {
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

async function openLibrary(
  named: string,
  { skillsDirectory, settings }: ValidateConfig,
  signal: AbortSignal,
): Promise<Outcome<Library>> {
  // As the reference validator does, a document stands for its folder.
  const shown = isDocumentName(path.basename(named)) ? path.dirname(named) : named;
  const open = (root: string) =>
    openDirectory({
      ...{ root, disk: nodeDisk, ignore: settings.ignore },
      limits: { ...defaultLimits, ...settings.limits },
      // Nothing is removed.
      trash: '',
    });
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
    keepsModes:
      (await nodeDisk.keepsModes(directory.root)) && (await fileModesAreKept(directory.root)) !== false,
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

/** What is found in each skill, in byte order of their paths; then what is found in all of them together. */
async function* findingsOf(library: Library, policy: Policy, signal: AbortSignal): AsyncGenerator<Checked> {
  const { directory, listing, own, below, isWhole, shown } = library;
  if (own !== undefined) {
    const alone = new Validation(policy, below.slice(0, -1 - own.path.length));
    for await (const loaded of oneByOne(own.directory.load([own.path]))) {
      const findings = await check(alone, loaded, own.directory.root, library.keepsModes);
      yield { skills: 1, findings: findings.map((finding) => placed(finding, shown, own.path)) };
    }
  }
  const validation = new Validation(policy, below);
  const given = (findings: readonly Finding[]) => findings.map((finding) => placed(finding, shown));
  for (const { path, problem } of listing.unreadable) {
    yield { skills: 1, findings: given(validation.unreadable(path, problem)) };
  }
  for await (const loaded of oneByOne(directory.load(listing.paths))) {
    signal.throwIfAborted();
    const findings = await check(validation, loaded, directory.root, library.keepsModes);
    yield { skills: 1, findings: given(findings) };
  }
  yield { skills: 0, findings: given(validation.library(isWhole)) };
}

interface Checked {
  readonly skills: number;
  readonly findings: readonly PlacedFinding[];
}

async function check(
  validation: Validation,
  loaded: Loaded,
  root: string,
  keepsModes: boolean,
): Promise<readonly Finding[]> {
  if ('problem' in loaded) return validation.unreadable(loaded.path, loaded.problem);
  const subject = readSubject(loaded.skill);
  if (!subject.ok) return validation.unreadable(loaded.path, subject.problem);
  return validation.skill(subject.value, { standing: await standingOf(subject.value, root), keepsModes });
}

/** What links lead to that is no file of the skill, and there all the same: a nested skill's, or an ignored one. */
async function standingOf(subject: Subject, root: string): Promise<ReadonlySet<string>> {
  const standing = new Set<string>();
  for (const target of lostTargets(subject)) {
    const seen = await answer(nodeDisk.lstat(`${root}/${subject.path}/${target}`));
    if (seen.ok) standing.add(target);
  }
  return standing;
}

/** @param own the skill that the directory itself is */
function placed(finding: Finding, shown: string, own?: string): PlacedFinding {
  const folder = own === undefined ? path.join(shown, finding.skill) : shown;
  return { finding, place: path.join(folder, finding.file ?? '') };
}

/** Says what is found as it comes, or keeps it for one object. */
class Report {
  readonly #flags: ValidateFlags;
  readonly #output: Output;
  readonly #lines: FindingLines;
  readonly #kept: PlacedFinding[] = [];
  readonly #count = { errors: 0, warnings: 0, infos: 0, skills: 0 };

  constructor(flags: ValidateFlags, output: Output) {
    this.#flags = flags;
    this.#output = output;
    this.#lines = new FindingLines(output.colors);
  }

  add({ skills, findings }: Checked): void {
    this.#count.skills += skills;
    for (const { finding } of findings) this.#count[counters[finding.severity]]++;
    if (this.#flags.json || isOnGithub(process.env)) this.#kept.push(...findings);
    if (this.#flags.json) return;
    const shown = this.#flags.quiet
      ? findings.filter(({ finding }) => finding.severity === 'error')
      : findings;
    if (shown.length > 0) this.#output.result(this.#lines.lines(shown));
  }

  notices({ notices }: Listing): void {
    for (const notice of notices) {
      if (notice.notice !== 'root-document')
        this.#output.notice(noticeLines(notice, this.#flags.verbose === true));
    }
  }

  /** Returns the exit code. */
  end(target: Target): number {
    const { skills, ...summary }: Count = this.#count;
    const { json, maxWarnings = Number.POSITIVE_INFINITY } = this.#flags;
    const isFailed = summary.errors > 0 || summary.warnings > maxWarnings;
    const exitCode = isFailed ? exitCodes.failed : exitCodes.done;
    this.#output.result(
      json
        ? jsonText({ target, skills, findings: this.#kept.map(findingJson), summary, exitCode })
        : countLine(this.#count),
    );
    if (isOnGithub(process.env)) process.stderr.write(annotateFindings(this.#kept, process.env));
    return exitCode;
  }
}

const counters = { error: 'errors', warn: 'warnings', info: 'infos' } as const;
