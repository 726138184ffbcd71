// Holds a program's options to what each function takes: not every program has a compiler that does.

import type {
  ExportOptions,
  ImportOptions,
  ReadOptions,
  SidesOptions,
  SyncDbOptions,
  SyncOptions,
  ValidateOptions,
} from './options.ts';

/** What an option may be, in words, and whether a value is that. */
interface Kind {
  readonly words: string;
  readonly takes: (value: unknown) => boolean;
}

/** The kind of each option that a function has. */
type Kinds<O> = { readonly [K in keyof Required<O>]: Kind };

const text: Kind = { words: 'a text', takes: (value) => typeof value === 'string' && value.trim() !== '' };
const flag: Kind = { words: 'true or false', takes: (value) => typeof value === 'boolean' };
const signal: Kind = { words: 'an AbortSignal', takes: (value) => value instanceof AbortSignal };
const texts: Kind = {
  words: 'a list of texts',
  takes: (value) => Array.isArray(value) && value.every(text.takes),
};

function upTo(most: number): Kind {
  return {
    words: `a number from 0 to ${most}`,
    takes: (value) => typeof value === 'number' && value >= 0 && value <= most,
  };
}

function oneOf<T extends string>(...words: readonly T[]): Kind {
  return { words: `one of ${words.join(', ')}`, takes: (value) => words.includes(value as T) };
}

const readKinds: Kinds<ReadOptions> = { cwd: text, config: text, signal };

const seconds = upTo(86_400);

const sidesKinds: Kinds<SidesOptions> = {
  ...readKinds,
  databaseUrl: { words: 'a text', takes: (value) => typeof value === 'string' },
  skillsDir: text,
  ...{ connectTimeout: seconds, lockTimeout: seconds, statementTimeout: seconds },
};

const syncKinds: Kinds<SyncOptions> = {
  ...sidesKinds,
  ...{ dryRun: flag, skillPath: texts, force: flag, delete: flag, maxDelete: upTo(100), yes: flag },
};

const importKinds: Kinds<ImportOptions> = {
  ...syncKinds,
  status: oneOf('active', 'draft', 'deprecated', 'archived', 'all'),
};

/** What each function takes. */
const kinds: {
  readonly readSkills: Kinds<ReadOptions>;
  readonly validate: Kinds<ValidateOptions>;
  readonly status: Kinds<SidesOptions>;
  readonly syncDb: Kinds<SyncDbOptions>;
  readonly exportToDb: Kinds<ExportOptions>;
  readonly importFromDb: Kinds<ImportOptions>;
} = {
  readSkills: readKinds,
  validate: {
    ...readKinds,
    target: oneOf('spec', 'skill-fleet', 'claude-code', 'claude-api', 'codex', 'copilot', 'openclaw'),
  },
  status: sidesKinds,
  syncDb: { ...importKinds, onConflict: oneOf('newest', 'local', 'database', 'merge', 'fail') },
  exportToDb: { ...syncKinds, validate: oneOf('off', 'warn', 'error') },
  importFromDb: importKinds,
};

/**
 * Throws a `TypeError` that names what a function does not take. An option that is not known is one of them: `dryrun`
 * must not be a real run.
 */
export function checkOptions(name: keyof typeof kinds, options: object): void {
  const known: { readonly [option: string]: Kind | undefined } = kinds[name];
  for (const [option, value] of Object.entries(options)) {
    const kind = Object.hasOwn(known, option) ? known[option] : undefined;
    if (kind === undefined) throw new TypeError(`${name} has no option ${option}`);
    if (value !== undefined && !kind.takes(value)) {
      throw new TypeError(`the option ${option} of ${name} is to be ${kind.words}`);
    }
  }
}
