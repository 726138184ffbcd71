// What `--json` prints, as a schema: docs/reference/output.schema.json is made of it.

import { z } from 'zod';

const side = z.enum(['files', 'database']);
const path = z.string().describe('A skill: its folder, relative to the skills directory.');
const digest = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .nullable()
  .describe("SHA-256 of a skill's content; null where it holds nothing.");
const count = z.int().min(0);
const time = z.iso.datetime().nullable();
const diff = z.string().describe('A unified diff; long ones are folded.');

const problem = z
  .looseObject({
    reason: z.string().describe('What went wrong, in one word.'),
    what: z.string(),
    remedy: z.string().describe('What to do.'),
  })
  .describe('What went wrong, and what its reason tells beside.');
const problems = z.array(problem);
const exitCode = z.int().describe('0 done, 1 failed, 2 pending, 3 conflicts, 64 wrong usage.');
const notice = z.looseObject({ notice: z.string() }).describe('What is no problem, and worth knowing.');
const version = z.literal(1);

const counts = {
  create: count,
  update: count,
  rename: count,
  archive: count.describe('Deleted in the database.'),
  write: count,
  remove: count.describe('Removed from the files.'),
};
const planCounts = {
  ...counts,
  conflicts: count,
  holds: count,
  ahead: count,
  unchanged: count,
  problems: count,
};

const lines = z.object({ line: count, text: z.string() });
const file = z.object({ bytes: count, executable: z.boolean() }).nullable();
const region = z
  .union([
    z.object({ part: z.literal('body'), file: z.string(), base: lines, files: lines, database: lines }),
    z.object({
      part: z.literal('value'),
      file: z.string(),
      key: z.string(),
      base: z.json(),
      files: z.json(),
      database: z.json(),
    }),
    z.object({ part: z.literal('file'), file: z.string(), base: file, files: file, database: file }),
    z.object({ part: z.literal('frontmatter'), file: z.string() }),
    z.object({ part: z.literal('name'), file: z.string(), other: z.string() }),
  ])
  .describe('A place where both edits do not go together.');

const change = z.strictObject({
  path,
  from: path.optional().describe('Where it stands before, if elsewhere.'),
  side,
  operation: z.enum(['create', 'update', 'rename', 'archive', 'write', 'remove']),
  why: z.string(),
  before: digest,
  after: digest,
  category: z.object({ path: z.string(), reason: z.string(), creates: z.boolean() }).nullable().optional(),
  warnings: z.array(z.looseObject({ code: z.string(), what: z.string() })).optional(),
  relations: z
    .array(z.object({ relation: z.string(), added: z.array(z.string()), removed: z.array(z.string()) }))
    .optional()
    .describe('Of a dry run: what would change beside the text.'),
  diff: diff.optional().describe('Of a dry run.'),
  outcome: z.enum(['success', 'failed']).optional().describe('Of a real run.'),
  kept: count.optional().describe('The revision under which the history holds what was replaced.'),
});

const conflict = z.strictObject({
  path,
  renamed: z.object({ from: path, files: path, database: path }).optional(),
  why: z.enum(['both-edited', 'edited-and-deleted', 'both-renamed', 'no-base', 'waits', 'moved-on']),
  undecided: z
    .enum(['same-time', 'time-unknown'])
    .optional()
    .describe('Why neither side won by being newer, where --on-conflict newest was to decide.'),
  files: digest,
  database: digest,
  regions: z.array(region).optional(),
  diff: diff.optional(),
});

const target = z.enum(['spec', 'skill-fleet', 'claude-code', 'claude-api', 'codex', 'copilot', 'openclaw']);

const finding = z.strictObject({
  rule: z.string(),
  severity: z.enum(['error', 'warn', 'info']),
  skill: path,
  file: z.string().describe('From the working directory; the folder where it is about the skill as a whole.'),
  line: z.int().min(1).optional(),
  column: z.int().min(1).optional().describe('In UTF-16 units.'),
  what: z.string(),
  remedy: z.string().describe('What to do.'),
  fixable: z.boolean().describe('Whether --fix mends it.'),
  page: z.string().describe("The rule's page in the documentation."),
});

const run = z.strictObject({
  version,
  command: z.enum(['sync-db', 'export-to-db', 'import-from-db', 'undo', 'apply', 'resolve']),
  dryRun: z.boolean(),
  skillsDirectory: z.string(),
  database: z.string().describe('Where it is; no user and no password.'),
  migrations: z.array(z.string()),
  summary: z.strictObject({ ...planCounts, done: count }),
  run: count.optional().describe('The number of the run; none where it wrote nothing.'),
  plan: z.string().optional().describe('The file of the saved plan.'),
  undoes: count.optional(),
  next: z.strictObject(planCounts).optional().describe('What the next sync would do with the same skills.'),
  changes: z.array(change),
  conflicts: z.array(conflict),
  holds: z.array(z.strictObject({ path, side, why: z.enum(['deletion', 'perhaps-moved']) })),
  ahead: z.array(z.strictObject({ path, side, from: path.optional() })),
  validation: z
    .strictObject({
      level: z.enum(['warn', 'error']),
      target,
      skills: count.describe('How many were looked at.'),
      summary: z.strictObject({ errors: count, warnings: count }),
      findings: z.array(finding).describe('At most 1000 errors, then at most 1000 warnings.'),
      command: z.string().describe('What shows all of them.'),
    })
    .optional()
    .describe('What the rules find in the skills that an export sends.'),
  notices: z.array(notice),
  problems,
  exitCode,
});

const loggedRun = z.strictObject({
  run: count,
  direction: z.enum(['export', 'import', 'sync', 'restore', 'undo']),
  who: z.string(),
  host: z.string(),
  directory: z.string(),
  startedAt: z.iso.datetime(),
  finishedAt: time,
  outcome: z.enum(['running', 'success', 'failed']),
  error: z.string().nullable(),
  commit: z.string().nullable(),
  branch: z.string().nullable(),
  counts: z.strictObject({ ...counts, merge: count, failed: count, conflicts: count }),
  undoes: count.nullable(),
  takenBackBy: count.nullable(),
});

const states = {
  revision: count,
  path,
  at: time,
  origin: side,
  writer: z.string().nullable(),
  run: count.nullable(),
  digest,
  isPresent: z.boolean(),
  isDeleted: z.boolean(),
  isKept: z.boolean(),
  isMerge: z.boolean(),
  before: count.nullable(),
};
const revision = z.strictObject({
  ...states,
  isPruned: z.boolean(),
  summary: z.string(),
  changes: z.looseObject({ values: z.array(z.string()) }).nullable(),
  diff: diff.optional(),
});

const runEnd = loggedRun
  .pick({
    ...{ run: true, direction: true, who: true, host: true },
    ...{ startedAt: true, finishedAt: true, outcome: true, error: true },
  })
  .nullable();

const texts = z.array(z.string());
const linked = z.array(z.looseObject({ path, type: z.string().nullable() }));

/** A skill's values, of those commands that show them. */
const described = {
  name: z.string(),
  description: z.string(),
  version: z.string(),
  type: z.string(),
  status: z.string(),
  category: z.string().nullable(),
  keywords: texts,
  tags: texts,
};

/** What each command prints; `failure` is what any prints that could not begin. */
export const outputs = {
  run,
  failure: z.strictObject({ version, problems, exitCode }),
  diff: z.strictObject({
    version,
    skills: z.array(z.strictObject({ path, from: path.optional(), diff })),
    problems,
  }),
  conflicts: z.strictObject({
    version,
    conflicts: z.array(
      z.strictObject({
        path,
        why: conflict.shape.why,
        base: digest,
        merges: z.boolean(),
        regions: z.array(region),
        files: diff,
        database: diff,
      }),
    ),
    problems,
  }),
  status: z.strictObject({
    version,
    skillsDirectory: z.string(),
    database: z.string(),
    synced: count.describe('Skills that both sides hold alike.'),
    pending: count.describe('Skills that a sync would change or leave undecided.'),
    failed: count.describe('Skills that a problem of theirs keeps from taking part.'),
    unknown: count.describe('Places that could not be read.'),
    total: count,
    recentFailures: count.describe('Of the last ten runs.'),
    healthy: z.boolean(),
    faults: texts.describe('Why it is not healthy.'),
    aheadHere: z.array(path),
    aheadThere: z.array(path),
    conflicts: z.array(path),
    held: z.array(path),
    leftOut: z.record(z.string(), count).describe('Rows left out by their status.'),
    failedPaths: z.array(path),
    unknownPaths: texts,
    uncategorized: count,
    lastRun: runEnd,
    lastGoodRun: runEnd,
    next: texts.describe('Commands.'),
    problems,
    exitCode,
  }),
  list: z.strictObject({
    version,
    skills: z.array(
      z.strictObject({
        skill_path: path,
        ...described,
        category_reason: z.string().nullable(),
        files: count,
        updated_at: time,
      }),
    ),
    total: count,
    more: z.boolean(),
  }),
  skill: z.strictObject({
    version,
    path,
    skillId: count,
    state: z.enum(['standing', 'deleted', 'erased']),
    latest: z.strictObject(states).nullable(),
    lastStanding: count.nullable().describe('The revision that a deleted skill had last.'),
    inFiles: z.enum(['same', 'differs', 'absent', 'unknown']),
    files: z.array(z.strictObject({ path: z.string(), bytes: count, executable: z.boolean() })).nullable(),
    fields: z
      .strictObject({
        ...described,
        weight: z.string(),
        loadPriority: z.string(),
        style: z.string().nullable(),
        scope: z.string().nullable(),
        extra: z.record(z.string(), z.json()),
        categoryReason: z.string().nullable(),
        otherCategories: texts,
        allowedTools: texts,
        capabilities: z.array(z.strictObject({ name: z.string(), description: z.string().nullable() })),
        facets: z.array(z.strictObject({ key: z.string(), value: z.string() })),
        aliases: texts,
        needs: linked,
        neededBy: linked,
        refersTo: linked,
        referredBy: linked,
        createdAt: z.iso.datetime(),
        deletedAt: time,
      })
      .nullable(),
    exitCode,
  }),
  verified: z.strictObject({
    version,
    skills: count,
    files: count,
    bytes: count,
    revisions: count,
    blobs: count,
    differences: z.array(z.looseObject({ what: z.string() })),
    problems,
    exitCode,
  }),
  runs: z.strictObject({ version, runs: z.array(loggedRun), more: z.boolean(), exitCode }),
  revisions: z.strictObject({
    version,
    path,
    skillId: count,
    revisions: z.array(revision),
    more: z.boolean(),
    exitCode,
  }),
  restored: z.strictObject({
    version,
    dryRun: z.boolean(),
    path,
    revision: count,
    replaced: count.nullable(),
    diff: diff.optional(),
  }),
  pruned: z.strictObject({
    version,
    dryRun: z.boolean(),
    revisions: count,
    skills: count,
    blobs: count,
    bytes: count,
    keptRevisions: count,
    keptBlobs: count,
  }),
  migrations: z.strictObject({
    version,
    migrations: z.array(z.strictObject({ name: z.string(), appliedAt: time })),
  }),
  diagnosis: z.strictObject({
    version,
    checks: z.array(
      z.strictObject({
        group: z.enum(['Configuration', 'Database', 'Skills directory', 'Git']),
        name: z.string(),
        outcome: z.enum(['pass', 'warn', 'fail', 'skip']).describe('skip: it could not be asked.'),
        found: z.string(),
        remedy: z.string().optional().describe('What to do: a command where there is one.'),
      }),
    ),
    summary: z.strictObject({ passed: count, warnings: count, failed: count, skipped: count }),
    exitCode,
  }),
  validated: z.strictObject({
    version,
    target,
    skills: count,
    findings: z.array(finding),
    summary: z.strictObject({ errors: count, warnings: count, infos: count, fixable: count }),
    fix: z
      .strictObject({
        dryRun: z.boolean(),
        skills: count.describe('In which something was mended, or would be.'),
        fixed: z.array(finding),
        diffs: z
          .array(z.strictObject({ skill: path, diff: z.string() }))
          .optional()
          .describe('With --dry-run: what --fix would change.'),
        problems: z.array(problem).describe('What could not be written.'),
      })
      .optional()
      .describe('With --fix. Findings are those that are left.'),
    problems: problems.optional().describe('Why it ended early.'),
    exitCode,
  }),
  prompt: z.strictObject({
    version,
    skills: z.array(
      z.strictObject({
        name: z.string(),
        description: z.string(),
        location: z.string().describe('The document, absolute.'),
      }),
    ),
    problems,
    exitCode,
  }),
  properties: z.strictObject({
    version,
    location: z.string().describe('The document, absolute.'),
    properties: z
      .strictObject({
        name: z.string(),
        description: z.string(),
        license: z.json().optional(),
        compatibility: z.json().optional(),
        'allowed-tools': z.json().optional(),
        metadata: z.json().optional(),
      })
      .describe('As the document says them. Scalars are texts, as they are written.'),
    exitCode,
  }),
  migrated: z.strictObject({ version, applied: z.array(z.string()) }),
} as const;

/** All of them, as one JSON Schema. */
export function outputSchema(): object {
  const all = z.union(Object.entries(outputs).map(([id, schema]) => schema.meta({ id })));
  return z.toJSONSchema(all.meta({ title: 'What skill-fleet prints with --json' }));
}
