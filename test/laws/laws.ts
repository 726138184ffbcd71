// The laws of a sync, checked against what was seen before and after each step. They know nothing of how it is done.

import {
  documentFile,
  type Held,
  held,
  isSame,
  type SkillState,
  type Skills,
  type View,
  wordsIn,
  wordsOf,
} from './look.ts';
import type { RunStep } from './steps.ts';
import { type Ended, isSelected, type Move, type World } from './world.ts';

/** A law that was broken, and where. */
export class Broken extends Error {
  readonly law: string;

  constructor(law: string, what: string) {
    super(`${law}: ${what}`);
    this.law = law;
  }
}

function expectThat(isSo: boolean, law: string, what: () => string): void {
  if (!isSo) throw new Broken(law, what());
}

const shown = (state: SkillState | undefined) =>
  state
    ? [...state].map(([file, { executable, says }]) => `${file}${executable ? '*' : ''}=${says}`).join(' ')
    : 'nothing';

/** A part of a path that an ignore rule names: whether it is content depends on what the database holds. */
function isDoubtful(names: ReadonlySet<string>, path: string): boolean {
  return names.size > 0 && path.split('/').some((segment) => names.has(segment));
}

function isSameState(
  a: SkillState | undefined,
  b: SkillState | undefined,
  names: ReadonlySet<string> = new Set(),
): boolean {
  if (a === undefined || b === undefined) return a === b;
  const files = new Set([...a.keys(), ...b.keys()]);
  return [...files].every((file) => isDoubtful(names, file) || isSame(a.get(file), b.get(file)));
}

/** Whether a state holds nothing but what others do: their files, and a document in their words. */
function isMerge(state: SkillState, others: readonly (SkillState | undefined)[]): boolean {
  return [...state].every(
    ([file, one]) =>
      others.some((other) => other?.get(file)?.says === one.says) ||
      (file === documentFile &&
        wordsIn(one.says).every((word) =>
          others.some((other) => wordsIn(other?.get(file)?.says ?? '').includes(word)),
        )),
  );
}

const keyOf = ({ executable, says }: Held) => `${executable ? '*' : ''}${says}`;

/** What was ever held where: all that anybody can have seen, and taken into account. */
class Memory {
  readonly #files = new Map<string, Set<string>>();
  readonly #states = new Map<string, SkillState[]>();

  note(skills: ReadonlyMap<string, SkillState>): void {
    for (const [skill, state] of skills) {
      for (const [file, one] of state) {
        const place = `${skill}/${file}`;
        this.#files.set(place, (this.#files.get(place) ?? new Set()).add(keyOf(one)));
      }
      const states = this.#states.get(skill) ?? [];
      if (!states.some((known) => isSameState(known, state))) this.#states.set(skill, [...states, state]);
    }
  }

  hasFile(skill: string, file: string, one: Held): boolean {
    return this.#files.get(`${skill}/${file}`)?.has(keyOf(one)) ?? false;
  }

  hasState(skill: string, state: SkillState, names: ReadonlySet<string>): boolean {
    return (this.#states.get(skill) ?? []).some((known) => isSameState(known, state, names));
  }
}

/** Paths between which skills moved: what stood at one may come to stand at another. */
class Kin {
  readonly #of = new Map<string, ReadonlySet<string>>();

  unite(a: string, b: string): void {
    const all = new Set([...this.of(a), ...this.of(b)]);
    for (const one of all) this.#of.set(one, all);
  }

  /** The path itself among them. */
  of(path: string): readonly string[] {
    return [...(this.#of.get(path) ?? [path])];
  }
}

export class Laws {
  readonly #world: World;
  readonly #kin = new Kin();
  /** Words that somebody wrote in the middle of a run: no view shows the state that they came to. */
  readonly #meanwhile = new Set<string>();
  /** Words that a killed run was about to write, of what the restored database may know no more. */
  readonly #staged = new Set<string>();
  #now: View;
  readonly #inClone: readonly Memory[];
  readonly #inDatabase = new Memory();
  /** What a clone and the database last agreed on, as long as nothing made either forget. */
  readonly #agreed: Map<string, SkillState>[];
  /** Clones in which a run died, with what was there before it, as long as nobody worked there since. */
  readonly #torn = new Map<number, View | 'touched'>();

  constructor(world: World, now: View) {
    this.#world = world;
    this.#now = now;
    this.#inClone = now.clones.map(() => new Memory());
    this.#agreed = now.clones.map(() => new Map());
    this.#note(now);
  }

  get now(): View {
    return this.#now;
  }

  /** Where a clone and the database differ: what comes in the middle of a run comes there; else anywhere. */
  differing(clone: number): readonly string[] {
    const { skills } = cloneIn(this.#now, clone);
    const all = [...new Set([...skills.keys(), ...this.#now.database.skills.keys()])].sort();
    const different = all.filter(
      (skill) => !isSameState(skills.get(skill), this.#now.database.skills.get(skill)),
    );
    return different.length > 0 ? different : all;
  }

  /** After what people did to clones: they may do what they like. */
  async afterPeople(clone: number, moved: readonly Move[] = []): Promise<void> {
    for (const [from, to] of moved) this.#kin.unite(from, to);
    if (this.#torn.has(clone)) this.#torn.set(clone, 'touched');
    this.#note(await this.#world.lookAgain(this.#now, { clone }));
  }

  /** After what the base or the repository of a clone went through: it may know more, or less. */
  async afterForgetting(clone: number): Promise<void> {
    this.#agreed[clone]?.clear();
    await this.afterPeople(clone);
  }

  /** After a statement of another writer: what it replaced is in the history. */
  async afterSql(): Promise<void> {
    const before = this.#now;
    const after = await this.#world.lookAgain(before, {});
    this.#expectNothingLost(before, after);
    this.#uniteMoved(before, after);
    this.#note(after);
  }

  /** After a run was taken back: each skill is, whole, what it was once. */
  async afterUndo(clone: number): Promise<void> {
    const before = this.#now;
    const after = await this.#world.look();
    this.#expectNothingLost(before, after);
    this.#expectOthersUntouched(clone, before, after);
    const view = cloneIn(after, clone);
    expectThat(view.leftovers.length === 0, 'an undo leaves nothing of its own', () =>
      view.leftovers.join(' '),
    );
    expectThat(!this.#world.isInTransaction, 'an undo ends its transactions', () => '');
    this.#uniteMoved(before, after);
    const names = doubtfulNames(before, after, clone);
    for (const [skill, state] of [...view.skills, ...after.database.skills]) {
      if (isNestedAnew(skill, before, after, clone)) continue;
      expectThat(
        this.#kin.of(skill).some((one) => this.#wasOnce(clone, one, state, names)) ||
          [...state.values()].some(({ says }) => wordsIn(says).some((word) => this.#meanwhile.has(word))),
        'a skill that was taken back is what it was once',
        () => `${skill}: ${shown(state)}`,
      );
    }
    this.#agreed[clone]?.clear();
    this.#note(after);
  }

  #wasOnce(clone: number, skill: string, state: SkillState, names: ReadonlySet<string>): boolean {
    return (
      this.#inClone[clone]?.hasState(skill, state, names) === true ||
      this.#inDatabase.hasState(skill, state, names)
    );
  }

  /** Rows that stand elsewhere now. */
  #uniteMoved(before: View, after: View): void {
    for (const [id, path] of before.database.places)
      this.#kin.unite(path, after.database.places.get(id) ?? path);
  }

  async afterRestoring(): Promise<void> {
    for (const agreed of this.#agreed) agreed.clear();
    const after = await this.#world.look();
    for (const { files, leftovers } of after.clones) {
      for (const name of leftovers) {
        for (const word of wordsIn(files.get(name)?.text ?? '')) this.#staged.add(word);
      }
    }
    this.#note(after);
  }

  /** After a writing run went on with what an earlier one had begun. */
  async afterRecovery(clone: number): Promise<void> {
    const before = this.#now;
    const after = await this.#world.lookAgain(before, { clone });
    this.#expectNothingLost(before, after);
    const view = cloneIn(after, clone);
    expectThat(view.leftovers.length === 0, 'a recovery leaves nothing', () => view.leftovers.join(' '));
    const torn = this.#torn.get(clone) ?? before;
    if (torn !== 'touched') {
      const names = doubtfulNames(torn, after, clone);
      for (const [skill, state] of view.skills) {
        if (isNestedAnew(skill, torn, after, clone)) continue;
        const isKnown = this.#kin.of(skill).some((one) => this.#wasOnce(clone, one, state, names));
        expectThat(isKnown, 'a skill is whole after a recovery', () => `${skill}: ${shown(state)}`);
      }
    }
    this.#torn.delete(clone);
    this.#note(after);
  }

  async afterDryRun(step: RunStep, { how, outcome }: Ended, says?: 'nothing is left to do'): Promise<void> {
    const before = this.#now;
    const after = await this.#world.look();
    expectThat(how === 'whole' && outcome !== null, 'a dry run ends', () => how);
    this.#expectUntouched(step, before, after, 'a dry run writes nothing');
    if (says)
      expectThat(
        outcome?.plan.changes.length === 0,
        `a dry run says that ${says}`,
        () => outcome?.words.join() ?? '',
      );
    const bases = (view: View) => cloneIn(view, step.clone).bases.join();
    expectThat(bases(before) === bases(after), 'a dry run writes nothing', () => 'the base');
  }

  /** After a run that came after one alike, with nothing in between. */
  async afterRunAgain(step: RunStep, { outcome }: Ended): Promise<void> {
    const before = this.#now;
    const after = await this.#world.look();
    const words = () => outcome?.words.join(', ') ?? '';
    this.#expectUntouched(step, before, after, 'a second run writes nothing', words);
    expectThat(outcome?.plan.changes.length === 0, 'a second run has nothing to do', words);
    this.#note(after);
  }

  /** @returns whether a run after it has nothing to carry any more */
  async afterRun(step: RunStep, ended: Ended): Promise<boolean> {
    const before = this.#now;
    const after = await this.#world.look();
    const { clone } = step;
    if (ended.how === 'killed' || ended.how === 'failed') this.#torn.set(clone, before);
    this.#expectNothingLost(before, after, wordsIn(ended.meanwhile?.replaced ?? ''));
    this.#expectOthersUntouched(clone, before, after);
    this.#expectFilesWhole(step, before, after, ended);
    for (const skill of new Set(
      [before, after].flatMap((view) => [
        ...cloneIn(view, clone).skills.keys(),
        ...view.database.skills.keys(),
      ]),
    )) {
      this.#expectAllowed(skill, step, before, after, ended);
    }
    if (ended.how === 'whole') this.#expectDone(step, before, after, ended);
    if (ended.how !== 'whole') this.#agreed[clone]?.clear();
    const { meanwhile } = ended;
    if (meanwhile) {
      this.#meanwhile.add(meanwhile.word);
      // Who edited what a run had just written has seen that.
      const seen = held(documentFile, meanwhile.replaced, false);
      for (const executable of [false, true])
        this.#inClone[clone]?.note(
          new Map([[meanwhile.path, new Map([[documentFile, { ...seen, executable }]])]]),
        );
      const words = wordsOf(after);
      expectThat(words.has(meanwhile.word), 'nothing is lost', () => `${meanwhile.word}, written meanwhile`);
      expectThat(
        isLenient(step, meanwhile.who === 'sql' ? 'database' : 'files') ||
          this.#holds(after, clone, meanwhile),
        'what is written meanwhile is not overwritten',
        () => `${meanwhile.path} by ${meanwhile.who}: ${meanwhile.word}`,
      );
    }
    this.#note(after);
    return ![...cloneIn(after, clone).skills.keys(), ...cloneIn(before, clone).skills.keys()].some((skill) =>
      isNestedAnew(skill, before, after, clone),
    );
  }

  #holds(view: View, clone: number, { who, path, word }: NonNullable<Ended['meanwhile']>): boolean {
    const skills = who === 'sql' ? view.database.skills : cloneIn(view, clone).skills;
    return this.#kin
      .of(path)
      .some((one) => [...(skills.get(one)?.values() ?? [])].some(({ says }) => wordsIn(says).includes(word)));
  }

  #note(view: View): void {
    for (const [clone, { skills }] of view.clones.entries()) this.#inClone[clone]?.note(skills);
    this.#inDatabase.note(view.database.skills);
    this.#now = view;
  }

  /** Every text that was anywhere is somewhere: on a side, in the history, in the trash, in git. */
  #expectNothingLost(before: View, after: View, overwritten: readonly string[] = []): void {
    const words = new Set([...wordsOf(after), ...overwritten, ...this.#staged]);
    const missing = [...wordsOf(before)].filter((word) => !words.has(word));
    if (missing.length === 0) return;
    const inGit = new Set(wordsIn(this.#world.textsInGit()));
    const lost = missing.filter((word) => !inGit.has(word));
    expectThat(lost.length === 0, 'nothing is lost', () => lost.join(' '));
  }

  #expectOthersUntouched(clone: number, before: View, after: View): void {
    for (const other of before.clones.keys()) {
      if (other !== clone)
        expectThat(
          printOf(before, other) === printOf(after, other),
          'a run touches one clone',
          () => `clone ${other}`,
        );
    }
  }

  #expectUntouched(step: RunStep, before: View, after: View, law: string, more = () => ''): void {
    for (const clone of before.clones.keys()) {
      expectThat(
        printOf(before, clone) === printOf(after, clone),
        law,
        () => `clone ${clone}, ${JSON.stringify(step)} ${more()}`,
      );
    }
    expectThat(before.database.print === after.database.print, law, () => `database ${more()}`);
  }

  /** Each file is what it was, or what the database holds. */
  #expectFilesWhole({ clone }: RunStep, before: View, after: View, { meanwhile }: Ended): void {
    for (const [skill, state] of cloneIn(after, clone).skills) {
      for (const [file, one] of state) {
        const place = `${skill}/${file}`;
        const was = cloneIn(before, clone).files.get(place);
        const isKnown =
          (was && was.text === one.text && was.executable === one.executable) ||
          [cloneIn(before, clone), before.database, after.database].some(({ skills }) =>
            this.#isHeld(skills, place, one),
          ) ||
          (meanwhile !== null &&
            this.#kin.of(skill).includes(meanwhile.path) &&
            wordsIn(one.says).includes(meanwhile.word));
        expectThat(
          isKnown,
          'a file is what somebody wrote',
          () => `clone ${clone}: ${skill}/${file} is ${JSON.stringify(one.text)}`,
        );
      }
    }
  }

  /** Whether a skill holds a file that stands at this place, or would where the skill is to move. */
  #isHeld(skills: Skills, place: string, one: Held): boolean {
    return [...skills].some(([skill, state]) =>
      this.#kin.of(skill).some((path) => {
        const held = place.startsWith(`${path}/`) ? state.get(place.slice(path.length + 1)) : undefined;
        return held !== undefined && isSame(held, one);
      }),
    );
  }

  /** What a run may do at one path, however it ends. */
  #expectAllowed(
    skill: string,
    step: RunStep,
    before: View,
    after: View,
    { how, outcome, meanwhile }: Ended,
  ): void {
    const { clone } = step;
    const names = doubtfulNames(before, after, clone);
    const kin = this.#kin.of(skill);
    if (kin.some((one) => isDoubtful(names, one) || meanwhile?.path === one)) return;
    const [files, filesNow] = [before, after].map((view) => cloneIn(view, clone).skills.get(skill));
    const [row, rowNow] = [before, after].map((view) => view.database.skills.get(skill));
    const isSameFiles = isSameState(files, filesNow, names);
    const isSameRow = isSameState(row, rowNow, names);
    const what = () =>
      `${skill}, files ${shown(files)} -> ${shown(filesNow)}, row ${shown(row)} -> ${shown(rowNow)}; ${outcome?.words.join(', ') ?? how}`;
    const isUnreadable = kin.every(
      (one) => cloneIn(before, clone).unreadable.has(one) || before.database.unreadable.has(one),
    );
    if (outcome?.plan.refusal || isUnreadable || !kin.some((one) => takesPart(one, step, before))) {
      const law = isUnreadable ? 'what cannot be read is left alone' : 'what takes no part is left alone';
      // A skill that is still on its way belongs to the one above it.
      if (how === 'whole' && !isNestedAnew(skill, before, after, clone)) expectThat(isSameFiles, law, what);
      expectThat(isSameRow, law, what);
      return;
    }
    // Files change hands then, and the run carries that too.
    const isAnew = isNestedAnew(skill, before, after, clone);
    expectThat(step.run !== 'import' || isSameRow, 'an import changes no row', what);
    expectThat(step.run !== 'export' || isSameFiles || isAnew, 'an export changes no file', what);
    if (kin.length > 1) {
      this.#expectMoved(kin, { skill, isSameRow, isSameFiles, what }, step, before, after, how === 'whole');
      return;
    }
    const isMerged = (state: SkillState) => step.onConflict === 'merge' && isMerge(state, [files, row]);
    expectThat(
      isSameRow ||
        rowNow === undefined ||
        isSameState(rowNow, files, names) ||
        isMerged(rowNow) ||
        (isAnew && isSameState(rowNow, filesNow, names)),
      'a row is what it was, or what the files hold',
      what,
    );
    expectThat(
      rowNow !== undefined || row === undefined || (step.deletes && files === undefined),
      'a row goes only when it is asked for',
      what,
    );
    if (row && !isSameRow) {
      const isSeen = [...row].every(
        ([file, one]) => isDoubtful(names, file) || this.#hasSeen(clone, skill, file, one),
      );
      expectThat(isSeen || isLenient(step, 'database'), 'what the files never saw is not overwritten', what);
    }
    if (how !== 'whole' || isAnew) return;
    expectThat(
      isSameFiles || filesNow === undefined || isSameState(filesNow, row, names) || isMerged(filesNow),
      'files are what they were, or what the row holds',
      what,
    );
    expectThat(
      filesNow !== undefined || files === undefined || (step.deletes && row === undefined),
      'files go only when it is asked for',
      what,
    );
    if (files && !isSameFiles) {
      // Files that somebody let a run overwrite are in the history, as what the skill was once.
      const seen = new Set(wordsIn(before.database.texts));
      const isSeen = [...files].every(
        ([file, one]) =>
          isDoubtful(names, file) ||
          this.#inDatabase.hasFile(skill, file, one) ||
          wordsIn(one.says).every((word) => seen.has(word)),
      );
      const isCommitted = isSameState(files, this.#world.commits.get(this.#world.headOf(clone))?.get(skill));
      expectThat(
        isSeen || isCommitted || isLenient(step, 'files'),
        'what the database never saw is not overwritten',
        what,
      );
    }
  }

  /** What a run may do where skills move: whole skills go from one path to another, and a row keeps its key. */
  #expectMoved(
    kin: readonly string[],
    {
      skill,
      isSameRow,
      isSameFiles,
      what,
    }: { skill: string; isSameRow: boolean; isSameFiles: boolean; what: () => string },
    { clone, deletes, onConflict }: RunStep,
    before: View,
    after: View,
    isWhole: boolean,
  ): void {
    const names = doubtfulNames(before, after, clone);
    if (kin.some((one) => isNestedAnew(one, before, after, clone))) return;
    const [stood, stands] = [before, after].map((view) => cloneIn(view, clone).skills) as [Skills, Skills];
    const states = kin.flatMap((one) => [stood.get(one), before.database.skills.get(one)]);
    const isOne = (state: SkillState | undefined) =>
      (onConflict === 'merge' && state !== undefined && isMerge(state, states)) ||
      states.some((other) => other !== undefined && isSameState(state, other, names));
    const rowNow = after.database.skills.get(skill);
    expectThat(isSameRow || rowNow === undefined || isOne(rowNow), 'a row is what a skill was, whole', what);
    const id = before.database.ids.get(skill);
    expectThat(
      id === undefined || deletes || [...after.database.ids.values()].includes(id),
      'a row goes only when it is asked for',
      what,
    );
    if (!isWhole) return;
    const filesNow = stands.get(skill);
    expectThat(
      isSameFiles || filesNow === undefined || isOne(filesNow) || isSameState(filesNow, rowNow, names),
      'files are what a skill was, whole',
      what,
    );
    const isElsewhere = kin.some(
      (one) => stands.has(one) && !isSameState(stands.get(one), stood.get(one), names),
    );
    expectThat(
      filesNow !== undefined || isSameFiles || deletes || isElsewhere,
      'files go only when it is asked for',
      what,
    );
  }

  #hasSeen(clone: number, skill: string, file: string, one: Held): boolean {
    if (this.#inClone[clone]?.hasFile(skill, file, one)) return true;
    return this.#world.historyOf(clone).some((commit) => {
      const held = this.#world.commits.get(commit)?.get(skill)?.get(file);
      return held !== undefined && keyOf(held) === keyOf(one);
    });
  }

  /** What a run that nothing kept from its end has brought about. */
  #expectDone(step: RunStep, before: View, after: View, { outcome, meanwhile }: Ended): void {
    const { clone } = step;
    if (outcome === null) return;
    const { plan, results, words } = outcome;
    expectThat(!this.#world.isInTransaction, 'a run ends its transactions', () => '');
    const view = cloneIn(after, clone);
    expectThat(view.leftovers.length === 0, 'a run leaves nothing of its own', () =>
      view.leftovers.join(' '),
    );
    expectThat(view.bases.every(isBase), 'a base can be read', () => view.bases.join());
    expectThat(!step.deletes || plan.holds.length === 0, 'nothing is held that was asked for', () =>
      words.join(),
    );
    const agreed = this.#agreed[clone];
    if (meanwhile || plan.refusal) {
      agreed?.clear();
      return;
    }
    const problems = [...plan.problems, ...results.flatMap((result) => (result.ok ? [] : [result.problem]))];
    const undecided = new Set<string>(
      [...plan.conflicts, ...plan.holds, ...plan.ahead].map(({ path }) => path),
    );
    const names = doubtfulNames(before, after, clone);
    for (const skill of new Set([...view.skills.keys(), ...after.database.skills.keys()])) {
      const kin = this.#kin.of(skill);
      const [files, row] = [view.skills.get(skill), after.database.skills.get(skill)];
      const what = () => `${skill}, files ${shown(files)}, row ${shown(row)}; ${words.join(', ')}`;
      const isSpoken = problems.some(
        (problem) => !('path' in problem) || kin.some((one) => isRelated(String(problem.path), one)),
      );
      const isLeftOut = files === undefined && after.database.statuses.get(skill) !== 'active';
      // What changes hands between a skill and one below it is the next run's to carry.
      const isHandedOver = kin.some((one) => isNestedAnew(one, before, after, clone));
      if (
        isDoubtful(names, skill) ||
        isHandedOver ||
        isSpoken ||
        isLeftOut ||
        !kin.every((one) => takesPart(one, step, before)) ||
        (kin.length > 1 && kin.some((one) => undecided.has(one)))
      ) {
        agreed?.delete(skill);
        continue;
      }
      const isEqual = isSameState(files, row, names);
      expectThat(
        isEqual !== undecided.has(skill) || names.size > 0,
        'a run without a word about it leaves a skill the same on both sides',
        what,
      );
      const known = agreed?.get(skill);
      const conflict = plan.conflicts.some(({ path }) => path === skill);
      const isOneSided =
        known &&
        (isSameState(known, before.database.skills.get(skill)) ||
          isSameState(known, cloneIn(before, clone).skills.get(skill)));
      expectThat(
        !(conflict && isOneSided) || names.size > 0,
        'what one side alone changed is no conflict',
        what,
      );
      if (isEqual && files) agreed?.set(skill, files);
    }
  }
}

function isBase(text: string): boolean {
  try {
    return typeof JSON.parse(text).version === 'number';
  } catch {
    return false;
  }
}

function cloneIn(view: View, clone: number): View['clones'][number] {
  const found = view.clones[clone];
  if (found === undefined) throw new Error(`no clone ${clone}`);
  return found;
}

function printOf(view: View, clone: number): string {
  const { files, trash } = cloneIn(view, clone);
  return JSON.stringify([[...files].map(([name, { text, stamp }]) => [name, text, stamp]), trash]);
}

function doubtfulNames(before: View, after: View, clone: number): ReadonlySet<string> {
  return new Set([before, after].flatMap((view) => [...cloneIn(view, clone).ignored]));
}

/** Whether what is above a skill, or below it, became a skill or ceased to be one: files change hands then. */
function isNestedAnew(skill: string, before: View, after: View, clone: number): boolean {
  const around = (view: View) =>
    [...cloneIn(view, clone).skills.keys()]
      .filter((other) => other !== skill && isRelated(other, skill))
      .sort()
      .join();
  return around(before) !== around(after);
}

function isRelated(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`);
}

function takesPart(skill: string, { only, status }: RunStep, { database }: View): boolean {
  const held = database.statuses.get(skill);
  return (
    isSelected(only, skill) && (status === null || status === 'all' || held === undefined || held === status)
  );
}

/** Whether the user let a run overwrite what a side alone holds. */
function isLenient({ run, force, onConflict }: RunStep, side: 'database' | 'files'): boolean {
  if (force && (run === 'import' ? side === 'files' : side === 'database')) return true;
  if (run !== 'sync') return false;
  // What is merged is in the history first.
  return (
    onConflict === 'newest' ||
    onConflict === 'merge' ||
    onConflict === (side === 'database' ? 'local' : 'database')
  );
}
