// One side of the sync, the skills directory or the database: the few things that the middle asks of both.

import type { Problem } from './problem.ts';
import type { Digest } from './skill/digest.ts';
import type { SkillPath } from './skill/path.ts';
import type { Skill } from './skill/skill.ts';

/** What a replica holds at one path, and by what it will know whether that is still so. */
export interface SkillState {
  readonly digest: Digest;
  /** The database's own key and revision; absent for files. */
  readonly row?: { readonly skillId: number; readonly revision: number };
}

/** A place about which a replica cannot speak. Unreadable is never absent: no decision is taken there. */
export interface Unreadable {
  /** A skill path or, with `below`, a folder with everything under it; '' is the whole replica. */
  readonly path: string;
  readonly below: boolean;
  readonly problem: Problem;
}

/** What a replica holds now. */
export interface Snapshot {
  readonly skills: ReadonlyMap<SkillPath, SkillState>;
  readonly unreadable: readonly Unreadable[];
}

/** One skill as it was loaded, or why it could not be. */
export type Loaded =
  | { readonly path: SkillPath; readonly skill: Skill }
  | { readonly path: SkillPath; readonly problem: Problem };

/** A change of one path: what the replica is expected to hold, and what it shall hold. Null is absent. */
export interface Change {
  readonly path: SkillPath;
  readonly before: SkillState | null;
  readonly after: SkillState | null;
}

/** What became of a change: the state that the replica now holds, or why it refused. */
export type Result =
  | { readonly change: Change; readonly ok: true; readonly state: SkillState | null }
  | { readonly change: Change; readonly ok: false; readonly problem: Problem };

/** Reads skills in bounded batches, in the order asked for. */
export type Load = (paths: readonly SkillPath[]) => AsyncIterable<readonly Loaded[]>;

/** A side of the sync. */
export interface Replica {
  snapshot(): Promise<Snapshot>;
  load: Load;
  /**
   * Carries out changes, their contents read by `source`. Each `before` is checked again first, and each
   * content against `after.digest`: a change that the world overtook is refused, and the others go on.
   */
  apply(changes: readonly Change[], source: Load): Promise<readonly Result[]>;
}
