// How often the laws are tried on generated cases.

const { LAWS } = process.env;

/**
 * So many generated cases of a law, or times as many:
 *
 *   LAWS=20 npx vitest run test/git
 */
export function runs(usual: number): number {
  return usual * Number(LAWS ?? 1);
}

/** For laws whose cases take long: a usual run takes the same ones each time, and a long one others. */
export const usualSeed: { readonly seed?: number } = LAWS === undefined ? { seed: 1 } : {};

/** For a test whose laws may be tried for long, in milliseconds. */
export const lawTimeout: number = LAWS === undefined ? 120_000 : 24 * 3_600_000;
