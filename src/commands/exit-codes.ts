// What a process ends with.

/** After a signal it is 128 and the number of that, as shells have it. */
export const exitCodes = { done: 0, failed: 1, pending: 2, conflicts: 3, wrongUsage: 64 } as const;
