// The database that does not exist yet, for who only wants to see what a first run would do.

import type { DatabaseReplica } from '../replica.ts';
import type { TaxonomyMapping } from '../taxonomy/infer.ts';
import { indexCategories } from '../taxonomy/known.ts';
import { seed } from '../taxonomy/seed.ts';
import { readerOf } from './read-skill.ts';

function refuseToWrite(): never {
  throw new Error('a database that does not exist cannot be written');
}

/** An empty database: it holds nothing, knows the seeded categories, and takes no writes. */
export function emptyDatabase(mapping: TaxonomyMapping): DatabaseReplica {
  const known = indexCategories(seed.map((category) => category.path));
  return {
    snapshot: async () => ({
      skills: new Map(),
      unreadable: [],
      notices: [],
      unsettled: new Set(),
      outdated: new Set(),
      textless: new Set(),
    }),
    inView: (work) => work(),
    load: async function* () {},
    identity: async () => ({ id: '', latest: null }),
    remembers: async () => false,
    notedRevisions: async () => [],
    lastDeletions: async () => new Map(),
    newestHeld: async () => new Map(),
    noteCommits: refuseToWrite,
    findPast: async () => new Set(),
    loadPast: async function* () {},
    storedFiles: async () => [],
    executableBits: async () => new Map(),
    pastBits: async () => [],
    changedAt: async () => ({ now: new Date(), times: new Map() }),
    takeTexts: async () => new Map(),
    reader: async () => readerOf(known, mapping),
    apply: refuseToWrite,
    beginRun: refuseToWrite,
    endRun: refuseToWrite,
    noteIdleRun: refuseToWrite,
    keep: refuseToWrite,
    unresolved: async () => [],
    settle: refuseToWrite,
    formerKeys: async () => new Map(),
    recordedRun: async () => undefined,
    verifyRows: async function* () {},
    mendDerived: refuseToWrite,
    verifyDerived: async function* () {},
    verifyHistory: async function* () {},
    log: refuseToWrite,
  };
}
