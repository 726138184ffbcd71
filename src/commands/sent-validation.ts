// The rules of validate, asked of the skills that an export sends: before it, where errors refuse it, else on their way.

import path from 'node:path';
import type { Config } from '../config/config.ts';
import type { Problem } from '../problem.ts';
import type { Plan, PlannedChange, Preview } from '../reconcile/plan.ts';
import type { Load, Loaded } from '../replica.ts';
import { commandText, shellWord } from '../report/command-text.ts';
import type { SentFindings } from '../report/sync-report.ts';
import { type Digest, digestSkill } from '../skill/digest.ts';
import type { SkillPath } from '../skill/path.ts';
import type { Skill } from '../skill/skill.ts';
import type { Finding } from '../validation/finding.ts';
import { Policy } from '../validation/policy.ts';
import type { ExportLevel } from '../validation/rules.ts';
import { readSubject } from '../validation/subject.ts';
import { Validation } from '../validation/validation.ts';
import type { GlobalFlags } from './command.ts';
import { check, judgeOf, tellsModes } from './skill-check.ts';

/** Findings of a severity that are kept: for programs, which are told the rest by a command. */
const maxKept = 1000;

/** Skills that a command names; of more it is about the whole library. */
const maxPaths = 5;

/** Errors that a problem names. */
const maxNamed = 3;

/** What is known of one skill that was looked at. */
interface Seen {
  /** None where it was seen on its way, and not before. */
  readonly digest?: Digest;
  readonly errors: number;
  readonly warnings: number;
}

/**
 * Holds skills that are sent to the rules for single skills. Those for a library need all of its skills, and a run
 * reads only what it sends.
 */
export class SentValidation {
  readonly #level: ExportLevel;
  readonly #policy: Policy;
  readonly #root: string;
  /** The skills directory as a person names it. */
  readonly #shown: string;
  readonly #flags: GlobalFlags;
  /** By where the files stand. */
  readonly #seen = new Map<SkillPath, Seen>();
  #kept: { readonly error: readonly Finding[]; readonly warn: readonly Finding[] } = { error: [], warn: [] };
  #keepsModes: Promise<boolean> | undefined;

  /** @param root the skills directory, without links */
  constructor(
    level: ExportLevel,
    { validation, skillsDirectory }: Pick<Config, 'validation' | 'skillsDirectory'>,
    flags: GlobalFlags,
    root: string,
  ) {
    this.#level = level;
    this.#policy = new Policy(validation.target ?? 'skill-fleet', validation);
    this.#flags = flags;
    this.#root = root;
    this.#shown = path.relative('', skillsDirectory) || '.';
  }

  /** Why nothing is to be sent, where errors refuse that: reads what is to be sent, and looks at it. */
  async guard({ changes }: Plan, load: Load, signal: AbortSignal): Promise<Problem | undefined> {
    if (this.#level !== 'error') return undefined;
    const sent = changes.filter(isSent);
    for await (const batch of load(sent.map(({ content, path }) => content?.path ?? path))) {
      signal.throwIfAborted();
      for (const loaded of batch) {
        if ('skill' in loaded) await this.#look(loaded.skill, digestSkill(loaded.skill));
      }
    }
    return this.refusal();
  }

  /** Looks at what a dry run shows. */
  async look(preview: Preview): Promise<void> {
    if (!('change' in preview && preview.files && isSent(preview.change))) return;
    await this.#look(preview.files);
  }

  /** Looks at what is sent as it goes. Where errors refuse it, what came after the guard stays, skill by skill. */
  onSend = (changes: readonly PlannedChange[], load: Load): Load => {
    const sent = new Map(changes.filter(isSent).map(({ path, after }) => [path, after?.digest]));
    const look = async (loaded: Loaded): Promise<Loaded> => {
      const { path } = loaded;
      const digest = sent.get(path);
      if (!('skill' in loaded) || digest === undefined) return loaded;
      if (this.#seen.get(loaded.skill.path)?.digest === digest) return loaded;
      const { errors } = await this.#look(loaded.skill);
      return errors > 0 && this.#level === 'error'
        ? { path, problem: this.#problem([loaded.skill.path]) }
        : loaded;
    };
    return async function* (paths) {
      for await (const batch of load(paths)) {
        const passed: Loaded[] = [];
        for (const loaded of batch) passed.push(await look(loaded));
        yield passed;
      }
    };
  };

  /** Why what was looked at is not to be sent, where errors refuse that. */
  refusal(): Problem | undefined {
    const faulty = [...this.#seen].flatMap(([path, { errors }]) => (errors > 0 ? [path] : []));
    return this.#level === 'error' && faulty.length > 0 ? this.#problem(faulty) : undefined;
  }

  /** All that was found. */
  found(): SentFindings {
    const all = [...this.#seen.values()];
    const sum = (severity: 'errors' | 'warnings') => all.reduce((total, one) => total + one[severity], 0);
    const found = [...this.#seen].flatMap(([path, { errors, warnings }]) =>
      errors + warnings > 0 ? [path] : [],
    );
    return {
      level: this.#level,
      target: this.#policy.target,
      skills: all.length,
      found: found.length,
      errors: sum('errors'),
      warnings: sum('warnings'),
      findings: [...this.#kept.error, ...this.#kept.warn].map((finding) => ({
        finding,
        place: path.join(this.#shown, finding.skill, finding.file ?? ''),
      })),
      command: this.#command(found),
    };
  }

  async #look(skill: Skill, digest?: Digest): Promise<Seen> {
    const { path } = skill;
    this.#keepsModes ??= tellsModes(this.#root);
    // A validation of its own for each skill: one of all would keep of each what the library's rules need.
    const alone = new Validation(this.#policy);
    const findings = await check({ path, skill }, judgeOf(alone, this.#root, await this.#keepsModes));
    const errors = findings.filter(({ severity }) => severity === 'error');
    const warned = findings.filter(({ severity }) => severity === 'warn');
    const told = warned.length > 0 ? warnedLines(skill) : new Set();
    const warnings = warned.filter(({ file, line }) => !told.has(`${file}:${line}`));
    const isAgain = this.#seen.has(path);
    const keep = (kept: readonly Finding[], more: readonly Finding[]) => {
      const others = isAgain ? kept.filter((finding) => finding.skill !== path) : kept;
      return more.length === 0 ? others : [...others, ...more].slice(0, maxKept);
    };
    this.#kept = { error: keep(this.#kept.error, errors), warn: keep(this.#kept.warn, warnings) };
    const seen = { ...(digest && { digest }), errors: errors.length, warnings: warnings.length };
    this.#seen.set(path, seen);
    return seen;
  }

  #problem(faulty: readonly SkillPath[]): Problem {
    const isFaulty = new Set<string>(faulty);
    const named = this.#kept.error
      .filter(({ skill }) => isFaulty.has(skill))
      .slice(0, maxNamed)
      .map(({ skill, file, line, rule }) => {
        const place = file === undefined ? skill : `${skill}/${file}`;
        return `${place}${line === undefined ? '' : `:${line}`} (${rule})`;
      });
    const errors = faulty.reduce((sum, path) => sum + (this.#seen.get(path)?.errors ?? 0), 0);
    return {
      reason: 'skills-not-valid',
      count: faulty.length,
      total: this.#seen.size,
      target: this.#policy.target,
      first: errors > named.length ? [...named, `and ${errors - named.length} more`] : named,
      command: `skill-fleet ${this.#command(faulty)}`,
    };
  }

  /** `validate PATH… --target TARGET`. */
  #command(paths: readonly string[]): string {
    const named = paths.length > maxPaths ? [this.#shown] : paths.map((one) => path.join(this.#shown, one));
    const { skillsDir, config, envFile } = this.#flags;
    return commandText(`validate ${named.map(shellWord).join(' ')} --target ${this.#policy.target}`, {
      ...(skillsDir !== undefined && { skillsDir }),
      ...(config !== undefined && { config }),
      ...(envFile !== undefined && { envFile }),
    });
  }
}

/** Where a run warns of a document by itself: what the rules find there is told already. */
function warnedLines(skill: Skill): ReadonlySet<string> {
  const subject = readSubject(skill);
  if (!subject.ok) return new Set();
  const { file, warnings } = subject.value.document;
  return new Set(warnings.flatMap(({ line }) => (line === undefined ? [] : [`${file}:${line}`])));
}

/** Whether a change takes the files' content to the database: what is moved there as it is does not. */
function isSent({ side, after, content }: PlannedChange): boolean {
  return side === 'database' && after !== null && content?.side !== 'database';
}
