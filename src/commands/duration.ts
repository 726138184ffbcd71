// How long, as people write it: for flags and for the configuration file.

const unitsMs: { readonly [unit: string]: number } = { d: 86_400_000, h: 3_600_000, m: 60_000 };

/** Reads `7d`, `12h` or `30m`: milliseconds. Undefined where it is none of these. */
export function durationMs(text: string): number | undefined {
  const [, amount, unit = ''] = /^(\d{1,5})([dhm])$/.exec(text) ?? [];
  return amount === undefined ? undefined : Number(amount) * (unitsMs[unit] ?? 0);
}
