// Two lists side by side: which items of one are items of the other, which go and which are new.

/** Items from one up to and with another, by index. */
export interface Run {
  readonly from: number;
  readonly to: number;
}

export interface Alignment {
  /** Items that stay, or that become another in their place. */
  readonly pairs: readonly (readonly [old: number, wanted: number])[];
  /** Runs of old items that go. */
  readonly removed: readonly Run[];
  /** Runs of wanted items that are put after an old one that stays; after -1 is before the first. */
  readonly inserted: readonly (Run & { readonly after: number })[];
}

/**
 * Aligns lists of items, given by what tells them apart. As many as can be keep their order; between two of
 * these, items become each other as long as there are both.
 */
export function align(old: readonly string[], wanted: readonly string[]): Alignment {
  const pairs: (readonly [number, number])[] = [];
  const removed: Run[] = [];
  const inserted: (Run & { after: number })[] = [];
  let [nextOld, nextWanted] = [0, 0];
  for (const [i, j] of [...longestIncreasing(matches(old, wanted)), [old.length, wanted.length] as const]) {
    const changed = Math.min(i - nextOld, j - nextWanted);
    for (let k = 0; k < changed; k++) pairs.push([nextOld + k, nextWanted + k]);
    if (i > nextOld + changed) removed.push({ from: nextOld + changed, to: i - 1 });
    if (j > nextWanted + changed) {
      inserted.push({ after: nextOld + changed - 1, from: nextWanted + changed, to: j - 1 });
    }
    if (i < old.length) pairs.push([i, j]);
    [nextOld, nextWanted] = [i + 1, j + 1];
  }
  return { pairs, removed, inserted };
}

type Match = readonly [old: number, wanted: number];

/** Equal items, the first with the first, the second with the second, in the order of the wanted list. */
function matches(old: readonly string[], wanted: readonly string[]): readonly Match[] {
  const places = new Map<string, number[]>();
  // From the end, so that the first is the last to be pushed and the first to be popped.
  for (const [index, item] of [...old.entries()].reverse()) {
    const same = places.get(item);
    if (same === undefined) places.set(item, [index]);
    else same.push(index);
  }
  return wanted.flatMap((item, j): readonly Match[] => {
    const i = places.get(item)?.pop();
    return i === undefined ? [] : [[i, j]];
  });
}

/** The most matches whose old items stand in order too: patience sorting, in n log n steps. */
function longestIncreasing(all: readonly Match[]): readonly Match[] {
  interface Link {
    readonly match: Match;
    readonly before: Link | undefined;
  }
  // The lowest end of a chain of each length.
  const ends: Link[] = [];
  for (const match of all) {
    let [low, high] = [0, ends.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((ends[middle]?.match[0] ?? 0) < match[0]) low = middle + 1;
      else high = middle;
    }
    ends[low] = { match, before: ends[low - 1] };
  }
  const chain: Match[] = [];
  for (let link = ends.at(-1); link !== undefined; link = link.before) chain.push(link.match);
  return chain.reverse();
}
