// What of the skills directory is not content: rules in gitignore's syntax, built in, configured, and in the tree.

import ignore, { type Ignore } from 'ignore';
import { type Outcome, refuse } from '../problem.ts';

/**
 * The name of the files that hold rules. Inside a skill it is one of the skill's files and is synced, because
 * what counts as the skill's content depends on it; elsewhere it is a loose file whose rules hold all the same.
 */
export const ignoreFileName = '.skillfleetignore';

/** How the names of our own files begin that stand in the skills directory: temporary files, lock, journal. */
export const ownPrefix = '.skill-fleet-';

/** No rule brings these back: a row must never write into a repository's .git, nor into our own files. */
export const never = ['.git', '.skill-fleet', `${ownPrefix}*`, '.skill-fleet.*'];

/** What is never a skill's content, unless a `!` rule says so. */
export const builtIn = [
  ...['.hg', '.svn', 'node_modules', '.venv', '.tox', '.ipynb_checkpoints'],
  ...['__pycache__', '*.pyc', '.pytest_cache', '.mypy_cache', '.ruff_cache'],
  ...['.DS_Store', '._*', 'Icon[\r]', 'Thumbs.db', 'desktop.ini'],
  ...['*.swp', '*.swo', '*~', '.#*', '\\#*#'],
];

/**
 * What looks like a secret, by name alone. Wrongly left out, a file is named in a notice and one `!` rule brings it back;
 * a key wrongly sent stands in a database's history. So .pem is in, without the names that mean certificates, and so are
 * the configuration files that commonly hold tokens.
 */
export const secret = [
  ...['.env', '.env.*', '!.env*.example', '!.env*.sample', '!.env*.template', '!.env*.dist', '.envrc'],
  ...['id_rsa', 'id_dsa', 'id_ecdsa', 'id_ed25519', 'id_ecdsa_sk', 'id_ed25519_sk'],
  ...['*.key', '*.ppk', '*.p12', '*.pfx', '*.jks', '*.keystore'],
  ...['*.pem', '!cert.pem', '!cacert.pem', '!chain.pem', '!fullchain.pem'],
  ...['.netrc', '.pgpass', '.pypirc', '.npmrc', '.git-credentials'],
];

// The time to match grows with each `**` by the depth of the path; all other wildcards cost next to nothing.
const maxDoubleStars = 3;
const maxRules = 1000;
const maxRuleLength = 512;

/**
 * What becomes of a file or a folder: 'content', left out as 'ignored' or 'secret', content although it looks
 * like a 'held-secret', or 'never' content whoever asks.
 */
export type Verdict = 'content' | 'ignored' | 'secret' | 'held-secret' | 'never';

/**
 * Whether the base or the database already holds a file at this path, relative to the skills directory, or any
 * file below it. As in git, an ignore rule does not reach such a file.
 */
export type Held = (path: string) => boolean;

const neverRules = ignore({ ignorecase: true }).add(never);
const secretRules = ignore({ ignorecase: true }).add(secret);

/** Whether nothing at a path, relative to the skills directory, or above it, is ever content. */
export function isNever(path: string): boolean {
  return neverRules.ignores(path);
}

/** The rules that hold in one folder and below it. Where several match, the last and deepest one decides. */
export class IgnoreRules {
  readonly #rules: Ignore;
  readonly #held: Held;

  constructor(rules: Ignore, held: Held) {
    this.#rules = rules;
    this.#held = held;
  }

  /**
   * These rules and those of `lines`, which hold in `folder` and below. Refused with `ignore-rule-not-allowed`,
   * as being found at `where`.
   */
  with(folder: string, lines: readonly string[], where: string): Outcome<IgnoreRules> {
    const why = whyNotAllowed(lines);
    if (why !== undefined) return refuse({ reason: 'ignore-rule-not-allowed', path: where, why });
    // Without regard to case only what is built in: whether a file is content must not depend on the system.
    const rules = ignore({ ignorecase: false })
      .add(this.#rules)
      .add(folder === '' ? lines : lines.flatMap((line) => rebase(line, folder)));
    return { ok: true, value: new IgnoreRules(rules, this.#held) };
  }

  /** `path` is relative to the skills directory, and the folders above it are known to be content. */
  verdict(path: string, isFolder: boolean): Verdict {
    const marked = isFolder ? `${path}/` : path;
    if (isNever(marked)) return 'never';
    if (!this.#rules.ignores(marked)) return 'content';
    const looksSecret = !isFolder && secretRules.ignores(path.slice(path.lastIndexOf('/') + 1));
    if (this.#held(path)) return looksSecret ? 'held-secret' : 'content';
    return looksSecret ? 'secret' : 'ignored';
  }
}

/** The rules that hold in the whole skills directory: those built in, then the configured `patterns`. */
export function baseRules(patterns: readonly string[], held: Held): Outcome<IgnoreRules> {
  const rules = ignore({ ignorecase: true }).add([...builtIn, ...secret]);
  return new IgnoreRules(rules, held).with('', patterns, 'the configuration');
}

/** The rules of an ignore file. */
export function linesOf(bytes: Buffer): readonly string[] {
  return bytes
    .toString()
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/);
}

function whyNotAllowed(lines: readonly string[]): string | undefined {
  if (lines.length > maxRules) return `more than ${maxRules} lines`;
  for (const [index, line] of lines.entries()) {
    if (line.length > maxRuleLength) return `line ${index + 1} is longer than ${maxRuleLength} characters`;
    if (line.split('**').length - 1 > maxDoubleStars) {
      return `line ${index + 1} has "**" more than ${maxDoubleStars} times`;
    }
  }
  return undefined;
}

/** Makes a line of the ignore file in `folder` mean the same in the skills directory. */
function rebase(line: string, folder: string): readonly string[] {
  const negated = line.startsWith('!');
  const pattern = negated ? line.slice(1) : line;
  const trimmed = pattern.trimEnd();
  if (trimmed === '' || trimmed === '/' || line.startsWith('#')) return [];
  const anchored = trimmed.slice(0, -1).includes('/');
  const base = folder.replaceAll(/[\\*?[\]]/g, '\\$&');
  return [`${negated ? '!' : ''}/${base}/${anchored ? '' : '**/'}${pattern.replace(/^\//, '')}`];
}
