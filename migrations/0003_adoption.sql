-- What a library that others filled needs beside: aliases of any path, one index for each purpose, tags that
-- stand among keywords, closures of dependencies.

-- The functions below keep this search path for themselves, temporary tables last, as those of 0002 do.
select set_config('search_path', current_setting('search_path') || ', pg_temp', true);

-- An alias is a path that a real tree had.
do $$
declare
  narrow record;
begin
  for narrow in
    select distinct c.conname
    from pg_constraint c
    join pg_attribute a on a.attrelid = c.conrelid and a.attnum = any (c.conkey)
    where c.conrelid = 'skill_aliases'::regclass and c.contype = 'c' and a.attname = 'alias_path'
  loop
    execute format('alter table skill_aliases drop constraint %I', narrow.conname);
  end loop;
end
$$;

create index if not exists dependency_closure_descendant_idx on dependency_closure (descendant_id);

-- Where an adopted table had an index like one of ours, under a name of its own, ours costs every writer and
-- serves nobody.
do $$
declare
  twice record;
begin
  for twice in
    select distinct ours.indexrelid::regclass as name
    from pg_index ours
    join pg_class c on c.oid = ours.indexrelid
    join pg_index theirs
      on theirs.indrelid = ours.indrelid and theirs.indexrelid <> ours.indexrelid and theirs.indisvalid
      and (theirs.indkey::text, theirs.indclass::text, theirs.indcollation::text, theirs.indoption::text)
        = (ours.indkey::text, ours.indclass::text, ours.indcollation::text, ours.indoption::text)
      and theirs.indpred is null and theirs.indexprs is null
      and ours.indpred is null and ours.indexprs is null and not ours.indisunique
    where ours.indrelid in (
        select to_regclass(name) from unnest(array[
          'skills', 'taxonomy_categories', 'taxonomy_closure', 'skill_categories', 'skill_keywords', 'skill_tags',
          'skill_dependencies', 'dependency_closure', 'skill_references', 'skill_aliases'
        ]) as tables (name)
      )
      and c.relname in (
        'skills_search_vector_idx', 'skills_status_idx', 'skill_categories_category_idx',
        'skill_keywords_keyword_idx', 'skill_tags_tag_idx', 'skill_dependencies_dependency_idx',
        'skill_references_target_idx', 'skill_aliases_path_idx', 'taxonomy_closure_descendant_idx',
        'taxonomy_categories_parent_idx', 'dependency_closure_descendant_idx'
      )
  loop
    execute format('drop index %s', twice.name);
  end loop;
end
$$;

alter table skill_sync add column tags_among_keywords text[] not null default '{}';

comment on column skill_sync.tags_among_keywords is
  'tags that stood among the skill''s keywords before its first sync: there they stay, while they are tags';

-- The skills that names in documents mean: by path, then alias, then unique name.
create function skill_fleet_resolve(names text[])
returns table (target text, skill_id integer)
language sql stable as $$
  with named as (
    select distinct name as target from unnest(names) as listed (name)
  ),
  by_path as (
    select n.target, s.skill_id
    from named n join skills s on s.skill_path = n.target where s.deleted_at is null
  ),
  by_alias as (
    select n.target, min(a.skill_id) as skill_id
    from named n join skill_aliases a on a.alias_path = n.target join skills s using (skill_id)
    where s.deleted_at is null
    group by n.target having count(distinct a.skill_id) = 1
  ),
  by_name as (
    select n.target, min(s.skill_id) as skill_id
    from named n join skills s on s.name = n.target where s.deleted_at is null
    group by n.target having count(*) = 1
  )
  select n.target, coalesce(p.skill_id, a.skill_id, u.skill_id)
  from named n
  left join by_path p using (target)
  left join by_alias a using (target)
  left join by_name u using (target)
$$;

-- It stands in the condition of triggers, which whoever writes evaluates.
grant execute on function skill_fleet_is_syncing() to public;

-- Makes dependency_closure say what skill_dependencies says of these skills and of all that depend on them,
-- but for one that is about to go: the ancestor is the skill that depends, at the least depth, with the types on
-- a way of that length. It goes down level by level, so that a cycle ends where nothing new is reached.
create function skill_fleet_fill_dependency_closure(ids integer[], going integer default null)
returns void
language plpgsql as $$
declare
  concerned integer[];
  depth integer := 1;
begin
  with recursive above (skill_id) as (
    select unnest(ids)
    union
    select d.dependent_id from above a join skill_dependencies d on d.dependency_skill_id = a.skill_id
    where a.skill_id is distinct from going
  )
  select array_agg(a.skill_id) into concerned from above a where a.skill_id is distinct from going;
  delete from dependency_closure where ancestor_id = any (concerned);
  insert into dependency_closure (ancestor_id, descendant_id, min_depth, dependency_types)
  select d.dependent_id, d.dependency_skill_id, 1, array[d.dependency_type::text]
  from skill_dependencies d
  where d.dependent_id = any (concerned) and d.dependency_skill_id is distinct from going
    -- A statement that deletes several skills has deleted some already.
    and exists (select from skills s where s.skill_id = d.dependent_id)
    and exists (select from skills s where s.skill_id = d.dependency_skill_id);
  while found loop
    insert into dependency_closure (ancestor_id, descendant_id, min_depth, dependency_types)
    select distinct on (c.ancestor_id, d.dependency_skill_id)
      c.ancestor_id, d.dependency_skill_id, depth + 1, c.dependency_types || d.dependency_type::text
    from dependency_closure c
    join skill_dependencies d on d.dependent_id = c.descendant_id
    where c.ancestor_id = any (concerned) and c.min_depth = depth and d.dependency_skill_id <> c.ancestor_id
      and d.dependency_skill_id is distinct from going
      and exists (select from skills s where s.skill_id = d.dependency_skill_id)
      and not exists (
        select from dependency_closure r
        where r.ancestor_id = c.ancestor_id and r.descendant_id = d.dependency_skill_id
      )
    order by c.ancestor_id, d.dependency_skill_id, c.descendant_id;
    depth := depth + 1;
  end loop;
end
$$;

-- An adopted closure refers to skills without a cascade: once it is filled, nobody could delete a skill. And ways
-- that led through a skill end with it.
create function skill_fleet_leave_closure() returns trigger
language plpgsql security definer set search_path from current as $$
declare
  above integer[];
begin
  select array_agg(c.ancestor_id) into above from dependency_closure c where c.descendant_id = old.skill_id;
  delete from dependency_closure where ancestor_id = old.skill_id or descendant_id = old.skill_id;
  if above is not null then
    perform skill_fleet_fill_dependency_closure(above, old.skill_id);
  end if;
  return old;
end
$$;

create trigger skill_fleet_left_closure before delete on skills
  for each row execute function skill_fleet_leave_closure();
