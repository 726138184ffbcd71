-- Deletions that can be taken back, revisions that can be restored, the commits at which git knows one; and the
-- same history for less: nothing is planned anew for each row, and locks are taken in one order.

-- The functions below keep this search path for themselves, temporary tables last, as those of 0002 do.
select set_config('search_path', current_setting('search_path') || ', pg_temp', true);

alter table skill_sync
  add column previous_status skill_status_enum,
  add column changed_at timestamptz;

comment on column skill_sync.previous_status is
  'what the status was before a sync deleted the skill: it comes back with it';
comment on column skill_sync.changed_at is
  'of a revision that came from files, when these were changed; revised_at where that is unknown';

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

create index skill_sync_revision_idx on skill_sync (revision);
create index skill_revisions_path_idx on skill_revisions (skill_path);

alter table sync_runs drop constraint sync_runs_direction_check;
alter table sync_runs add constraint sync_runs_direction_check
  check (direction in ('export', 'import', 'sync', 'restore'));

-- A revision that no sync settled has a text and values that part from it: what the sync had written for the
-- text tells which of them somebody changed.
alter table skill_revisions
  add column indexed jsonb,
  add column targets jsonb,
  add column deleted boolean not null default false;

comment on column skill_revisions.indexed is
  'as skill_sync.indexed was; null where the text alone is the document, or none was ever stored';

-- As in 0002, and of a row that nobody changed since a sync wrote it, `indexed` is what columns and relations say.
comment on column skill_revisions.deleted is 'whether the skill was deleted then';

create or replace function skill_fleet_archive(ids integer[], run bigint)
returns void
language plpgsql as $$
begin
  insert into skill_sync (skill_id) select s.skill_id from skills s where s.skill_id = any (ids)
  on conflict (skill_id) do nothing;
  insert into skill_revisions (
    skill_id, revision, skill_path, document_name, document_mode, frontmatter_source, skill_content,
    index, indexed, targets, files, digest, origin, writer, revised_at, replaced_by_run, deleted
  )
  select
    s.skill_id, y.revision, s.skill_path, y.document_name, y.document_mode, s.frontmatter_source, s.skill_content,
    coalesce(i.index, y.indexed),
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
    y.origin, y.writer, y.revised_at, run, s.deleted_at is not null
  from skills s
  join skill_sync y using (skill_id)
  left join skill_fleet_index(array(
    select u.skill_id from skill_sync u
    where u.skill_id = any (ids) and (u.indexed is null or u.digest_revision is distinct from u.revision)
  )) i using (skill_id)
  where s.skill_id = any (ids)
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

-- What another writer inserts has a state, and none before it.
create function skill_fleet_note_inserted(inserted_skill_id integer) returns void
language sql security definer set search_path from current as $$
  insert into skill_sync (skill_id, revised_at, writer, revision_xid)
  values (
    inserted_skill_id,
    transaction_timestamp(),
    concat_ws(' ', session_user, nullif(current_setting('application_name', true), '')),
    pg_current_xact_id()
  )
  on conflict (skill_id) do nothing
$$;

create or replace function skill_fleet_skill_inserted() returns trigger
language plpgsql security definer set search_path from current as $$
begin
  perform skill_fleet_note_inserted(new.skill_id);
  return null;
end
$$;

-- Locks a skill for its first change in a transaction, and says whether it is the first. The row of skills comes
-- first, as whoever updates it takes it first: two writers wait for each other, and never both at once.
create function skill_fleet_lock(changed_skill_id integer) returns boolean
language plpgsql security definer set search_path from current set plan_cache_mode = force_generic_plan as $$
begin
  -- A statement that inserts a skill and what belongs to it: these triggers run before that of the skill.
  if not exists (select from skill_sync y where y.skill_id = changed_skill_id)
    and exists (
      select from skills s where s.skill_id = changed_skill_id and s.xmin = pg_current_xact_id()::xid
    )
  then
    perform skill_fleet_note_inserted(changed_skill_id);
    return false;
  end if;
  perform from skill_sync y
  where y.skill_id = changed_skill_id
    and y.revision_xid = pg_current_xact_id() and y.revised_at = transaction_timestamp();
  if found then
    return false;
  end if;
  perform from skills s where s.skill_id = changed_skill_id for no key update;
  perform from skill_sync y where y.skill_id = changed_skill_id for update;
  return true;
end
$$;

-- As in 0002, and says whether this is the first change in the transaction.
drop function skill_fleet_note_change(integer);

create function skill_fleet_note_change(changed_skill_id integer) returns boolean
language plpgsql security definer set search_path from current set plan_cache_mode = force_generic_plan as $$
begin
  if not skill_fleet_lock(changed_skill_id) then
    return false;
  end if;
  perform skill_fleet_archive(array[changed_skill_id], null);
  update skill_sync y
  set revision = nextval('skill_revision_seq'),
      revised_at = transaction_timestamp(),
      origin = 'database',
      writer = concat_ws(' ', session_user, nullif(current_setting('application_name', true), '')),
      revision_xid = pg_current_xact_id()
  where y.skill_id = changed_skill_id;
  return true;
end
$$;

-- As above, for a relation's row. Where the skill was deleted before, it is there again; what goes with another
-- skill, or by another trigger, is nobody's wish for this one.
create function skill_fleet_note_relation(changed_skill_id integer) returns void
language plpgsql security definer set search_path from current set plan_cache_mode = force_generic_plan as $$
begin
  if skill_fleet_note_change(changed_skill_id) and pg_trigger_depth() = 1 then
    update skills s set deleted_at = null where s.skill_id = changed_skill_id and s.deleted_at is not null;
  end if;
end
$$;

-- A function a table: its columns stand in it, so that it is planned once a session. An insert that meets a row
-- which stands already is none: `on conflict do nothing` leaves it, and `do update` comes as an update.
do $$
declare
  synced record;
begin
  for synced in
    select * from (values
      ('skills', 'skill_id', null),
      ('skill_categories', 'skill_id', array['category_id']),
      ('skill_keywords', 'skill_id', array['keyword']),
      ('skill_tags', 'skill_id', array['tag']),
      ('capabilities', 'skill_id', array['name']),
      ('skill_dependencies', 'dependent_id', array['dependency_skill_id']),
      ('skill_references', 'source_skill_id', array['target_skill_id']),
      ('skill_aliases', 'skill_id', array['alias_path']),
      ('skill_facets', 'skill_id', array['facet_key', 'facet_value']),
      ('skill_allowed_tools', 'skill_id', array['tool_name']),
      ('skill_files', 'skill_id', array['relative_path'])
    ) as synced_tables (name, skill_column, own_key)
  loop
    execute format(
      $function$
        create function skill_fleet_changed_%1$s() returns trigger
        language plpgsql security definer set search_path from current set plan_cache_mode = force_generic_plan as $body$
        begin
          if tg_op = 'DELETE' then
            perform %4$s(old.%2$I);
            return old;
          end if;
          if tg_op = 'INSERT' then
            if skill_fleet_lock(new.%2$I) and not exists (select from %1$I stands where %3$s) then
              perform %4$s(new.%2$I);
            end if;
            return new;
          end if;
          if old.%2$I is distinct from new.%2$I then
            perform %4$s(least(old.%2$I, new.%2$I));
            perform %4$s(greatest(old.%2$I, new.%2$I));
          else
            perform %4$s(new.%2$I);
          end if;
          return new;
        end
        $body$
      $function$,
      synced.name, synced.skill_column,
      coalesce((
        select string_agg(format('stands.%1$I = new.%1$I', name), ' and ')
        from unnest(array[synced.skill_column] || synced.own_key) as listed (name)
      ), 'true'),
      case synced.name when 'skills' then 'skill_fleet_note_change' else 'skill_fleet_note_relation' end
    );
  end loop;
end
$$;

-- The last trigger before an update sees what the others made of the row.
do $$
declare
  old record;
begin
  for old in
    select tgrelid::regclass as name, tgname, pg_get_triggerdef(t.oid) as definition
    from pg_trigger t join pg_proc p on p.oid = t.tgfoid
    where p.proname = 'skill_fleet_changed' and not tgisinternal
  loop
    execute format('drop trigger %I on %s', old.tgname, old.name);
    execute regexp_replace(
      replace(old.definition, 'TRIGGER skill_fleet_updated ', 'TRIGGER zzz_skill_fleet_updated '),
      'EXECUTE FUNCTION .*$', format('execute function skill_fleet_changed_%s()', old.name)
    );
  end loop;
end
$$;

drop function skill_fleet_changed();
