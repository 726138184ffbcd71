// The contents behind a plan: what each side holds at the paths that it names, for who wants to see them.

import type { Conflict, Plan, PlannedChange, Preview } from '../reconcile/plan.ts';
import { type Loaded, oneByOne } from '../replica.ts';
import { compareBytes, type SkillPath } from '../skill/path.ts';
import type { Skill } from '../skill/skill.ts';
import type { SyncInput } from './sync.ts';

interface Item {
  readonly path: SkillPath;
  readonly inFiles: boolean;
  readonly inDatabase: boolean;
  readonly of: { readonly change: PlannedChange } | { readonly conflict: Conflict };
}

/** Reads what a plan's changes and conflicts are about, in byte order of paths, within bounded memory. */
export async function* previewPlan(
  { files, database }: Pick<SyncInput, 'files' | 'database'>,
  plan: Plan,
): AsyncGenerator<Preview> {
  const items = itemsOf(plan);
  const read = await database.reader();
  const local = oneByOne(files.load(items.filter((item) => item.inFiles).map((item) => item.path)));
  const remote = oneByOne(database.load(items.filter((item) => item.inDatabase).map((item) => item.path)));
  for (const { of, inFiles, inDatabase } of items) {
    const sides = {
      files: inFiles ? await nextSkill(local) : null,
      database: inDatabase ? await nextSkill(remote) : null,
    };
    if ('conflict' in of) yield { ...sides, conflict: of.conflict };
    else {
      const arrives = of.change.side === 'database' && sides.files ? read(sides.files) : undefined;
      yield { ...sides, change: of.change, reading: arrives };
    }
  }
}

function itemsOf({ changes, conflicts }: Plan): readonly Item[] {
  const changed = changes.map((change): Item => {
    const target = change.before !== null;
    const source = change.after !== null;
    const [inDatabase, inFiles] = change.side === 'database' ? [target, source] : [source, target];
    return { path: change.path, inFiles, inDatabase, of: { change } };
  });
  const conflicting = conflicts.map((conflict): Item => {
    const { path, local, remote } = conflict;
    return { path, inFiles: local !== null, inDatabase: remote !== null, of: { conflict } };
  });
  return [...changed, ...conflicting].sort((a, b) => compareBytes(a.path, b.path));
}

async function nextSkill(load: AsyncGenerator<Loaded>): Promise<Skill | null> {
  const { value } = await load.next();
  return value !== undefined && 'skill' in value ? value.skill : null;
}
