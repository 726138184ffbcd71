// Executable bits where the skills directory keeps none: nothing shows as changed there that nobody changed.

import { executableInIndex, fileModesAreKept } from '../git/file-modes.ts';
import { type FilesSnapshot, type IsExecutable, oneByOne, type PastBits, type Snapshot } from '../replica.ts';
import { type Digest, digestSkill } from '../skill/digest.ts';
import type { SkillPath } from '../skill/path.ts';
import type { Skill } from '../skill/skill.ts';
import type { ReadBase } from './base.ts';
import type { SyncInput } from './sync.ts';

/** What is known elsewhere of the executable bits of files. */
export class BitsElsewhere {
  readonly #directory: string;
  readonly #known: Map<string, boolean>;
  #inIndex: Promise<ReadonlySet<string>> | undefined;

  private constructor(directory: string, known: ReadonlyMap<string, boolean>) {
    this.#directory = directory;
    this.#known = new Map(known);
  }

  /** Undefined where the files' modes tell their bits. */
  static async find({
    disk,
    database,
    run: { directory },
  }: Pick<SyncInput, 'disk' | 'database' | 'run'>): Promise<BitsElsewhere | undefined> {
    const areKept = (await disk.keepsModes(directory)) && (await fileModesAreKept(directory)) !== false;
    return areKept ? undefined : new BitsElsewhere(directory, await database.executableBits());
  }

  /** As its row says; of a file that no row has, as git's index says. */
  isExecutable: IsExecutable = async (file) => this.#known.get(file) ?? (await this.#index()).has(file);

  /** From now on these are the bits of a skill's files. */
  know({ path, entries }: Skill): void {
    for (const entry of entries) this.#known.set(`${path}/${entry.path}`, entry.executable);
  }

  /** The files whose bit is not the one that git's index has: git itself does not tell them where modes say nothing. */
  async unlikeIndex(): Promise<readonly string[]> {
    const index = await this.#index();
    return [...this.#known].flatMap(([file, executable]) => (executable === index.has(file) ? [] : [file]));
  }

  #index(): Promise<ReadonlySet<string>> {
    this.#inIndex ??= executableInIndex(this.#directory);
    return this.#inIndex;
  }
}

/**
 * The files' snapshot, in which files that hold a past state of a skill have the bits of that state: where
 * somebody changed both texts and bits of a row, its present bits would make an edit of files that nobody touched.
 */
export async function withPastBits(
  { files, database, selects }: Pick<SyncInput, 'files' | 'database' | 'selects'>,
  bits: BitsElsewhere,
  {
    local,
    remote,
    base,
  }: { readonly local: FilesSnapshot; readonly remote: Snapshot; readonly base: ReadBase },
): Promise<FilesSnapshot> {
  const asked = [...local.skills].flatMap(([path, { digest }]) => {
    const agreed = base.entries.get(path);
    const stored = remote.skills.get(path);
    const isTold = [stored?.digest, agreed?.digest].includes(digest);
    // A row that is what both sides agreed on has the bits of then.
    const isEdit = agreed !== undefined && agreed.digest === stored?.digest;
    if (isTold || isEdit || !selects(path)) return [];
    return [{ path, skillId: agreed?.skillId ?? stored?.row?.skillId ?? null }];
  });
  if (asked.length === 0) return local;
  const past = new Map<SkillPath, PastBits[]>();
  for (const one of await database.pastBits(asked)) {
    const ofPath = past.get(one.path);
    if (ofPath) ofPath.push(one);
    else past.set(one.path, [one]);
  }
  const skills = new Map(local.skills);
  for await (const loaded of oneByOne(files.load([...past.keys()]))) {
    if (!('skill' in loaded)) continue;
    const { path, skill } = loaded;
    const isGone = !remote.skills.has(path);
    const state = findState(skill, past.get(path) ?? [], base.entries.get(path)?.digest, isGone);
    if (state === undefined) continue;
    bits.know(state.skill);
    skills.set(path, { digest: state.digest });
  }
  return { ...local, skills };
}

interface State {
  readonly skill: Skill;
  readonly digest: Digest;
}

/**
 * The state of the history that files hold but for their bits: what both sides agreed on, else the latest. Where
 * they hold none, and no row says anything of them any more, what was executable is.
 */
function findState(
  skill: Skill,
  past: readonly PastBits[],
  agreed: Digest | undefined,
  isGone: boolean,
): State | undefined {
  // A skill that comes anew need not be the one that was there.
  const states = (isGone && !agreed ? [] : past).flatMap(({ executable, digests }) => {
    const state = withBits(skill, (file) => executable.includes(file));
    return digests.includes(state.digest) ? [state] : [];
  });
  const held = states.find(({ digest }) => digest === agreed) ?? states[0];
  if (held !== undefined || !isGone) return held;
  const [latest] = past;
  return withBits(skill, (file, executable) => executable || latest?.executable.includes(file) === true);
}

function withBits(
  { path, entries }: Skill,
  isExecutable: (file: string, executable: boolean) => boolean,
): State {
  const skill = {
    path,
    entries: entries.map((entry) => ({ ...entry, executable: isExecutable(entry.path, entry.executable) })),
  };
  return { skill, digest: digestSkill(skill) };
}
