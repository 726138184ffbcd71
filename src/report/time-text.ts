// Times as people read them.

/** `2026-01-31 12:00:00Z`. */
export function timeText(time: Date): string {
  return `${time.toISOString().slice(0, 19).replace('T', ' ')}Z`;
}

/** How long ago, in the largest unit of which there are two: `90 s ago`, `3 h ago`. */
export function agoText(ms: number): string {
  const [seconds, minutes, hours, days] = [1000, 60_000, 3_600_000, 86_400_000].map((unit) =>
    Math.max(0, Math.floor(ms / unit)),
  ) as [number, number, number, number];
  if (minutes < 2) return `${seconds} s ago`;
  if (hours < 2) return `${minutes} min ago`;
  return days < 2 ? `${hours} h ago` : `${days} d ago`;
}
