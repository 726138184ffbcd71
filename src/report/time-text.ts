// Times as people read them.

/** `2026-01-31 12:00:00Z`. */
export function timeText(time: Date): string {
  return `${time.toISOString().slice(0, 19).replace('T', ' ')}Z`;
}
