// Which pairs of a frontmatter say which field, and which of them is asked first.

import { isMetadataField, type KeyField, keysOf, metadataKey, sameKey } from './keys.ts';
import type { Read, Spot } from './values.ts';
import type { Warnings } from './warning.ts';
import type { Pair, Value } from './yaml.ts';

/** Where a key stands: at the top level, or in the `metadata:` map. */
export type Level = 'top' | 'metadata';

/** A pair that says a field. */
export interface Saying {
  readonly pair: Pair;
  readonly spot: Spot;
  readonly level: Level;
}

export class Sayings {
  readonly #levels: { readonly [L in Level]: ReadonlyMap<string, Saying> };
  readonly #warnings: Warnings;

  constructor(pairs: readonly Pair[], warnings: Warnings) {
    this.#warnings = warnings;
    const top = this.#bySameKey(pairs, 'top', '');
    const below = top.get(metadataKey)?.pair.pairs ?? [];
    this.#levels = { top, metadata: this.#bySameKey(below, 'metadata', `${metadataKey}.`) };
  }

  /** The pairs that say a field, the `metadata:` map first; of equal keys the last one. */
  of(field: KeyField): readonly Saying[] {
    const levels: readonly Level[] = isMetadataField(field) ? ['metadata', 'top'] : ['top'];
    return levels.flatMap((level) =>
      keysOf(field).flatMap((name) => this.#levels[level].get(sameKey(name)) ?? []),
    );
  }

  /** What the first pair says of the field that is not silent; undefined where all are. */
  read<T>(field: KeyField, read: Read<T>): T | undefined {
    const [first, ...others] = this.of(field).filter(({ pair }) => !isSilent(pair.value));
    for (const { spot } of others) {
      const { key, line, column } = spot;
      this.#warnings.add({ code: 'key-stands-elsewhere', key, read: first?.spot.key ?? '', line, column });
    }
    return first === undefined ? undefined : read(first.pair.value, first.spot);
  }

  #bySameKey(pairs: readonly Pair[], level: Level, prefix: string): ReadonlyMap<string, Saying> {
    const found = new Map<string, Saying>();
    for (const pair of pairs) {
      const key = sameKey(pair.key);
      const spot = spotOf(pair, prefix, this.#warnings);
      if (found.has(key)) {
        this.#warnings.add({ code: 'duplicate-key', key: spot.key, line: pair.line, column: pair.column });
      }
      found.set(key, { pair, spot, level });
    }
    return found;
  }
}

/** Whether a key with this value says nothing. */
export function isSilent(value: Value): boolean {
  return value === null || value === '';
}

export function spotOf({ key, line, column }: Pair, prefix: string, warnings: Warnings): Spot {
  return { key: `${prefix}${key}`, line, column, warnings };
}
