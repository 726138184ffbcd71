-- Deletions that can be taken back, revisions that can be restored, and the commits at which git knows one.

-- The functions below keep this search path for themselves, temporary tables last, as those of 0002 do.
select set_config('search_path', current_setting('search_path') || ', pg_temp', true);

alter table skill_sync add column previous_status skill_status_enum;

comment on column skill_sync.previous_status is
  'what the status was before a sync deleted the skill: it comes back with it';

-- Where git knows a revision from. It outlives its skill, as the revisions do.
create table skill_commits (
  skill_id integer not null,
  revision bigint not null,
  repository varchar(64) not null,
  directory text not null,
  commit varchar(64) not null,
  clean boolean not null,
  noted_at timestamptz not null default now(),
  primary key (skill_id, revision, repository, directory, commit)
);

comment on column skill_commits.repository is 'its root commit';
comment on column skill_commits.directory is 'of the skills, within the repository';
comment on column skill_commits.clean is 'whether the files were as the commit has them';

alter table sync_runs drop constraint sync_runs_direction_check;
alter table sync_runs add constraint sync_runs_direction_check
  check (direction in ('export', 'import', 'sync', 'restore'));

-- A revision that no sync settled has a text and values that part from it: what the sync had written for the
-- text tells which of them somebody changed.
alter table skill_revisions add column indexed jsonb, add column targets jsonb;

comment on column skill_revisions.indexed is
  'as skill_sync.indexed was; null where the text alone is the document, or none was ever stored';

create or replace function skill_fleet_archive(ids integer[], run bigint)
returns void
language plpgsql as $$
begin
  insert into skill_sync (skill_id) select s.skill_id from skills s where s.skill_id = any (ids)
  on conflict (skill_id) do nothing;
  insert into skill_revisions (
    skill_id, revision, skill_path, document_name, document_mode, frontmatter_source, skill_content,
    index, indexed, targets, files, digest, origin, writer, revised_at, replaced_by_run
  )
  select
    s.skill_id, y.revision, s.skill_path, y.document_name, y.document_mode, s.frontmatter_source, s.skill_content,
    i.index,
    case when y.digest_revision is distinct from y.revision then y.indexed end,
    case when y.digest_revision is distinct from y.revision then y.targets end,
    (
      select coalesce(jsonb_agg(
        jsonb_build_object(
          'path', f.relative_path,
          'mode', f.file_mode,
          'bytes', octet_length(coalesce(f.binary_data, convert_to(f.content, 'UTF8'))),
          'sha256', encode(sha256(coalesce(f.binary_data, convert_to(f.content, 'UTF8'))), 'hex')
        )
        order by f.relative_path collate "C"
      ), '[]')
      from skill_files f where f.skill_id = s.skill_id
    ),
    case when y.digest_revision = y.revision then y.digest end,
    y.origin, y.writer, y.revised_at, run
  from skills s
  join skill_sync y using (skill_id)
  join skill_fleet_index(ids) i using (skill_id)
  on conflict (skill_id, revision) do nothing;
end
$$;

-- The keys of an index that somebody changed since a sync wrote it.
create function skill_fleet_edited(index jsonb, indexed jsonb) returns text[]
language sql stable as $$
  select array_agg(written.key order by written.key)
  from jsonb_each(indexed) written
  where index -> written.key is distinct from case
    when written.key not in ('dependencies', 'references') then written.value
    -- A link that went with its target is no edit of this skill.
    else (
      select coalesce(jsonb_agg(link order by position), '[]')
      from jsonb_array_elements(written.value) with ordinality as links (link, position)
      where exists (select from skills t where t.skill_id = (link ->> 'skill_id')::integer)
    )
  end
$$;

-- Whoever but a sync changes a deleted skill, or takes its deletion back, has it again as it was.
create function skill_fleet_revive() returns trigger
language plpgsql security definer set search_path from current as $$
begin
  if new.deleted_at is distinct from old.deleted_at and new.deleted_at is not null then
    return new;
  end if;
  new.deleted_at := null;
  if new.status = old.status then
    new.status := coalesce(
      (select y.previous_status from skill_sync y where y.skill_id = old.skill_id), new.status
    );
  end if;
  update skill_sync y set previous_status = null where y.skill_id = old.skill_id;
  return new;
end
$$;

do $$
begin
  execute format(
    'create trigger skill_fleet_revived before update on skills for each row
       when (not skill_fleet_is_syncing() and old.deleted_at is not null and (%s))
       execute function skill_fleet_revive()',
    (select string_agg(format('old.%1$I is distinct from new.%1$I', name), ' or ')
       from unnest(array['skill_path', 'name', 'description', 'version', 'type', 'weight', 'load_priority',
         'status', 'skill_style', 'skill_content', 'scope', 'frontmatter_source', 'extra', 'deleted_at']) as synced (name))
  );
end
$$;

-- As in 0002, and a changed relation of a deleted skill revives it. What goes with another skill, or by another
-- trigger, is nobody's wish for this one.
create or replace function skill_fleet_changed() returns trigger
language plpgsql security definer set search_path from current as $$
declare
  changed_before integer;
  changed_after integer;
  stands boolean;
begin
  if tg_op <> 'INSERT' then
    execute format('select ($1).%I', tg_argv[0]) into changed_before using old;
  end if;
  if tg_op <> 'DELETE' then
    execute format('select ($1).%I', tg_argv[0]) into changed_after using new;
  end if;
  if tg_op = 'INSERT' then
    -- `insert ... on conflict` comes here too where the row stands already.
    perform from skill_sync y where y.skill_id = changed_after for update;
    execute format(
      'select exists (select from %s stands where stands.%I = $2 and %s)',
      tg_relid::regclass, tg_argv[0],
      (select string_agg(format('stands.%1$I is not distinct from ($1).%1$I', name), ' and ')
         from unnest(tg_argv) as listed (name))
    ) into stands using new, changed_after;
    if stands then
      return new;
    end if;
  end if;
  perform skill_fleet_note_change(changed)
  from (select distinct changed from unnest(array[changed_before, changed_after]) as touched (changed) order by 1) as each_once
  where changed is not null;
  if tg_table_name <> 'skills' and pg_trigger_depth() = 1 then
    update skills s set deleted_at = null
    where s.skill_id in (changed_before, changed_after) and s.deleted_at is not null;
  end if;
  return case tg_op when 'DELETE' then old else new end;
end
$$;
