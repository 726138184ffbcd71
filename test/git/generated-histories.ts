// Small random histories: branches, merges that keep, mix or discard, unrelated roots, clocks that are wrong.

import fc from 'fast-check';
import { emptyFolder, git, gitAt } from './repositories.ts';

/** Paths that the commits hold or not; `skills/c` is a file in some commits, and a folder in others. */
const places = ['skills/a/x', 'skills/a/y', 'skills/b/a/x', 'skills/c', 'skills/c/x', 'other/x'] as const;

type Place = (typeof places)[number];

/** A file's content, of very few: the same blob comes again at other paths, and after it was gone. */
interface File {
  readonly text: string;
  readonly executable: boolean;
}

interface Edit {
  readonly place: Place;
  readonly file: File | null;
}

/** A commit: its parents, and of which its tree is taken, before the edits. Numbers are taken modulo what there is. */
interface Step {
  readonly parents: readonly number[];
  readonly kept: number;
  readonly mixed: boolean;
  readonly edits: readonly Edit[];
  readonly seconds: number;
}

const file: fc.Arbitrary<File | null> = fc.option(
  fc.record({ text: fc.constantFrom('one', 'two'), executable: fc.boolean() }),
  { freq: 3 },
);

const step: fc.Arbitrary<Step> = fc.record({
  parents: fc.oneof(
    { weight: 6, arbitrary: fc.array(fc.nat(9), { minLength: 1, maxLength: 3 }) },
    { weight: 1, arbitrary: fc.constant([]) },
  ),
  kept: fc.nat(2),
  mixed: fc.boolean(),
  edits: fc.array(fc.record({ place: fc.constantFrom(...places), file }), { maxLength: 2 }),
  seconds: fc.integer({ min: 1_000_000_000, max: 1_000_000_009 }),
});

export const histories: fc.Arbitrary<readonly Step[]> = fc.array(step, { minLength: 1, maxLength: 10 });

type Tree = ReadonlyMap<Place, File>;

function treeOf(step: Step, parents: readonly Tree[]): Tree {
  const kept = parents[step.kept % Math.max(parents.length, 1)] ?? new Map();
  const tree = new Map(kept);
  if (step.mixed) {
    for (const other of parents)
      for (const [place, file] of other) if (!tree.has(place)) put(tree, place, file);
  }
  for (const { place, file } of step.edits) put(tree, place, file);
  return tree;
}

function put(tree: Map<Place, File>, place: Place, file: File | null): void {
  tree.delete(place);
  if (!file) return;
  tree.set(place, file);
  // A path is a file or a folder.
  if (place === 'skills/c') tree.delete('skills/c/x');
  if (place === 'skills/c/x') tree.delete('skills/c');
}

function data(text: string): string {
  return `data ${Buffer.byteLength(text)}\n${text}\n`;
}

/** Makes the commits in a new repository, the last one at HEAD; returns its folder and the commits' ids. */
export async function makeHistory(
  steps: readonly Step[],
): Promise<{ readonly folder: string; readonly commits: readonly string[] }> {
  const folder = await emptyFolder();
  git(folder, 'init', '--quiet');
  const trees: Tree[] = [];
  const stream = steps.flatMap((step, index) => {
    const parents = index === 0 ? [] : [...new Set(step.parents.map((parent) => parent % index))];
    const tree = treeOf(
      step,
      parents.map((parent) => trees[parent] ?? new Map()),
    );
    trees.push(tree);
    return [
      `reset refs/heads/step${index}\n`,
      `commit refs/heads/step${index}\nmark :${index + 1}\n`,
      `committer Ada <ada@example.com> ${step.seconds} +0000\n`,
      data(`Step ${index}`),
      ...parents.map((parent, order) => `${order === 0 ? 'from' : 'merge'} :${parent + 1}\n`),
      'deleteall\n',
      ...[...tree].map(
        ([place, { text, executable }]) =>
          `M ${executable ? '100755' : '100644'} inline ${place}\n${data(text)}`,
      ),
    ];
  });
  gitAt(0, folder, ['fast-import', '--quiet'], stream.join(''));
  git(folder, 'symbolic-ref', 'HEAD', `refs/heads/step${steps.length - 1}`);
  const commits = git(folder, 'rev-parse', ...steps.map((_, index) => `refs/heads/step${index}`)).split('\n');
  return { folder, commits };
}
