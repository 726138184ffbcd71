// Dependencies and references: from the names that documents use to the skills that they mean.
//
// A target is found by path, then alias, then unique name. One that names no skill yet stays as the document
// has it, and is linked as soon as that skill arrives.

import { dependencyTypes, type Fields, type Json, silentDependencyType } from '../document/fields.ts';
import { maxNamed, type Notice } from '../notice.ts';
import { type Connection, inHalves } from './connection.ts';
import { matchRelation, type Relation, type RelationRow } from './relations.ts';
import { targetsIn } from './sound.ts';

const dependencies: Relation = {
  table: 'skill_dependencies',
  skill: 'dependent_id',
  key: { dependency_skill_id: 'integer' },
  values: { dependency_type: 'dependency_type_enum', justification: 'text' },
  // A label that only the library's own enum knows, which no document can say.
  leaves: `w.dependency_type = '${silentDependencyType}'
    and r.dependency_type::text not in (${dependencyTypes.map((type) => `'${type}'`).join(', ')})`,
};

const references: Relation = {
  table: 'skill_references',
  skill: 'source_skill_id',
  key: { target_skill_id: 'integer' },
  values: { reference_type: 'text' },
};

/** What `skill_sync.targets` holds before anything is resolved, in the document's order. */
export function declaredTargets(fields: Fields): Json {
  return [
    ...fields.dependencies.map((dependency) => ({ kind: 'dependency', ...dependency })),
    ...fields.references.map((reference) => ({ kind: 'reference', ...reference })),
  ];
}

interface ResolvedRow {
  readonly source_id: number;
  readonly skill_id: number;
  readonly kind: 'dependency' | 'reference';
  readonly type: string;
  readonly justification: string | null;
}

/** What came of linking, by skill. */
export interface Linking {
  readonly linked: readonly number[];
  /** What the database said. */
  readonly refused: ReadonlyMap<number, unknown>;
}

/** How many skills are linked by one round of statements. */
const skillsPerRound = 1000;

/**
 * Resolves the targets of the skills in `ids`, and those of any skill that found nothing so far; then makes
 * both relations of each of these skills hold what its targets resolved to.
 *
 * @returns the skills whose relations were brought to match, and those for which the database refused it
 */
export async function linkTargets(connection: Connection, ids: readonly number[]): Promise<Linking> {
  // What another writer changed waits until a sync takes it: its relations are not ours to bring to match.
  const waiting = await connection.query<{ skill_id: number }>(
    `select skill_id from skill_sync
     where targets @> '[{"skill_id": null}]' and digest_revision = revision and skill_id <> all ($1)
     order by skill_id for update`,
    [ids],
  );
  const concerned = [...ids, ...waiting.map((row) => row.skill_id)];
  const asked = new Set(ids);
  const linked: number[] = [];
  const refused = new Map<number, unknown>();
  const link = async (some: readonly number[]) => {
    const changed = await resolveTargets(connection, some);
    const matched = some.filter((id) => asked.has(id) || changed.has(id));
    await matchTargets(connection, matched);
    return matched;
  };
  for (let start = 0; start < concerned.length; start += skillsPerRound) {
    const round = concerned.slice(start, start + skillsPerRound);
    const done = await inHalves(connection, round, link, (id, error) => {
      refused.set(id, error);
      return id;
    });
    linked.push(...done.filter((id) => !refused.has(id)));
  }
  return { linked, refused };
}

/** Writes the key that each target resolves to beside it. Returns the skills for which that changed. */
async function resolveTargets(connection: Connection, ids: readonly number[]): Promise<ReadonlySet<number>> {
  const rows = await connection.query<{ skill_id: number }>(
    `with declared as (
       select y.skill_id as source_id, t.item, t.position, t.item ->> 'target' as target
       from skill_sync y, jsonb_array_elements(${targetsIn('y.targets')}) with ordinality as t (item, position)
       where y.skill_id = any ($1)
     ),
     resolved as (
       select d.source_id, jsonb_agg(
         d.item || jsonb_build_object('skill_id', r.skill_id) order by d.position
       ) as targets
       from declared d
       left join skill_fleet_resolve(array(select target from declared)) r using (target)
       group by d.source_id
     )
     update skill_sync y set targets = r.targets
     from resolved r
     where y.skill_id = r.source_id and y.targets <> r.targets
     returning y.skill_id`,
    [ids],
  );
  return new Set(rows.map((row) => row.skill_id));
}

/**
 * The links that the targets of the skills in `$1` resolved to. A document may name one skill twice, by path and by
 * name: the first mention counts.
 */
export const linksSql = `
  select distinct on (y.skill_id, t.item ->> 'kind', t.item ->> 'skill_id')
    y.skill_id as source_id, (t.item ->> 'skill_id')::integer as skill_id,
    t.item ->> 'kind' as kind, t.item ->> 'type' as type, t.item ->> 'justification' as justification
  from skill_sync y, jsonb_array_elements(${targetsIn('y.targets')}) with ordinality as t (item, position)
  where y.skill_id = any ($1) and (t.item ->> 'skill_id')::integer <> y.skill_id
  order by y.skill_id, t.item ->> 'kind', t.item ->> 'skill_id', t.position`;

async function matchTargets(connection: Connection, ids: readonly number[]): Promise<void> {
  const rows = await connection.query<ResolvedRow>(linksSql, [ids]);
  const ofKind = (kind: ResolvedRow['kind']) => rows.filter((row) => row.kind === kind);
  await matchRelation(
    connection,
    dependencies,
    ids,
    ofKind('dependency').map(
      (row): RelationRow => [row.source_id, row.skill_id, row.type, row.justification],
    ),
  );
  await matchRelation(
    connection,
    references,
    ids,
    ofKind('reference').map((row): RelationRow => [row.source_id, row.skill_id, row.type]),
  );
  await fillDependencyClosure(connection, ids);
}

/** Makes `dependency_closure` say what the dependencies of these skills do, where it does not: whoever wrote them. */
async function fillDependencyClosure(connection: Connection, ids: readonly number[]): Promise<void> {
  await connection.query(
    `select skill_fleet_fill_dependency_closure(array_agg(skill_id))
     from unnest($1::integer[]) as known (skill_id)
     where exists (
       select from (
         select dependency_skill_id, dependency_type::text from skill_dependencies where dependent_id = skill_id
       ) said
       full join (
         select descendant_id, dependency_types[1] as type from dependency_closure
         where ancestor_id = skill_id and min_depth = 1
       ) closed on descendant_id = dependency_skill_id and type = dependency_type
       where descendant_id is null or dependency_skill_id is null
     )
     having count(*) > 0`,
    [ids],
  );
}

/** The targets of these skills that name no skill, as a notice. */
export async function unresolvedTargets(
  connection: Connection,
  ids: readonly number[],
): Promise<readonly Notice[]> {
  const rows = await connection.query<{ text: string; count: number }>(
    `select s.skill_path || ' names ' || (t.item ->> 'target') as text, count(*) over () as count
     from skill_sync y join skills s using (skill_id), jsonb_array_elements(${targetsIn('y.targets')}) as t (item)
     where y.skill_id = any ($1) and t.item ->> 'skill_id' is null
     order by 1
     limit $2`,
    [ids, maxNamed],
  );
  const [first] = rows;
  return first ? [{ notice: 'unresolved', count: first.count, paths: rows.map((row) => row.text) }] : [];
}
