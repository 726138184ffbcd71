// Works on many skills, a few at a time.

/** How many skills are under way at once. */
export const skillsAtOnce = 8;

/** Does `work` for each item, at most `atOnce` at a time. The results have the items' order. */
export async function mapBounded<T, R>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}
