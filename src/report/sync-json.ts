// A syncing command's report for programs: one object, when all is done.

import { warningSentence } from '../document/warning.ts';
import type { Pair, PlannedChange } from '../reconcile/plan.ts';
import type { Reading, SkillState } from '../replica.ts';
import { jsonText, problemJson } from './json.ts';
import type { Output } from './output.ts';
import { countPlan, verbOf } from './plan-text.ts';
import { compareRelations } from './relation-changes.ts';
import { diffPreview, diffText } from './skill-diff.ts';
import type { RunFacts, SentFindings, SyncReport } from './sync-report.ts';
import { findingJson } from './validation-text.ts';

/** Collects a run, and prints it as one JSON object. */
export function jsonReport(output: Output, command: string): SyncReport {
  let facts: RunFacts | undefined;
  let sent: SentFindings | undefined;
  const notes: object[] = [];
  const changes: object[] = [];
  const diffs = new Map<string, string>();
  return {
    waiting: () => {},
    start: (started) => {
      facts = started;
    },
    notice: (notice) => notes.push(notice),
    baseSetAside: (why) => notes.push({ notice: 'base-set-aside', why }),
    preview(preview) {
      const diff = diffText(diffPreview(preview));
      if ('conflict' in preview) diffs.set(preview.conflict.path, diff);
      else {
        const { change, reading } = preview;
        const relations = change.side === 'database' ? compareRelations(preview.database, preview.files) : [];
        changes.push({
          ...changeJson(change, reading),
          ...(relations.length > 0 && change.after && { relations }),
          diff,
        });
      }
    },
    result(result) {
      const reading = result.ok ? result.reading : undefined;
      const outcome = result.ok ? 'success' : 'failed';
      const kept = result.ok && result.kept !== undefined ? { kept: result.kept } : {};
      changes.push({ ...changeJson(result.change, reading), outcome, ...kept });
    },
    validated: (found) => {
      sent = found;
    },
    end({ plan, done, problems, exitCode, run, next, savedAs }) {
      output.result(
        jsonText({
          command,
          dryRun: facts?.isDryRun,
          skillsDirectory: facts?.skillsDirectory,
          database: facts?.database,
          migrations: facts?.migrations,
          summary: { ...countPlan(plan), problems: problems.length, done: done.length },
          ...(run !== undefined && { run }),
          ...(savedAs !== undefined && { plan: savedAs }),
          ...(plan.undoes !== undefined && { undoes: plan.undoes }),
          ...(next && { next: { ...countPlan(next), problems: next.problems.length } }),
          changes,
          conflicts: plan.conflicts.map(({ path, why, undecided, local, remote, renamed, regions }) => ({
            path,
            ...(renamed && {
              renamed: { from: renamed.base.path, files: renamed.files, database: renamed.database },
            }),
            why,
            ...(undecided && { undecided }),
            ...digests({ path, local, remote }),
            ...(regions && { regions }),
            diff: diffs.get(path),
          })),
          holds: plan.holds,
          ahead: plan.ahead,
          ...(sent && { validation: validationJson(sent) }),
          notices: notes,
          problems: problems.map(problemJson),
          exitCode,
        }),
      );
    },
  };
}

function validationJson({
  level,
  target,
  skills,
  errors,
  warnings,
  findings,
  command,
}: SentFindings): object {
  return {
    level,
    target,
    skills,
    summary: { errors, warnings },
    findings: findings.map(findingJson),
    command,
  };
}

function digestOf(state: SkillState | null): string | null {
  return state?.digest ?? null;
}

function digests({ local, remote }: Pair): {
  readonly files: string | null;
  readonly database: string | null;
} {
  return { files: digestOf(local), database: digestOf(remote) };
}

function changeJson(change: PlannedChange, reading: Reading | undefined): object {
  return {
    path: change.path,
    ...(change.from && { from: change.from }),
    side: change.side,
    operation: verbOf(change),
    why: change.why,
    before: digestOf(change.before),
    after: digestOf(change.after),
    ...(reading && {
      category: reading.category,
      warnings: reading.warnings.map((warning) => ({ ...warning, what: warningSentence(warning) })),
    }),
  };
}
