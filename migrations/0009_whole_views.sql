-- A table that somebody writes anew, as some `alter table` do, seems empty to a transaction whose moment is older:
-- https://www.postgresql.org/docs/current/mvcc-caveats.html
-- The history would then keep a skill without its files or its relations. Such a writer is told to begin anew.

-- The functions below keep this search path for themselves, temporary tables last, as those of 0002 do.
select set_config('search_path', current_setting('search_path') || ', pg_temp', true);

-- What a catalog's row says is of the moment; the function says what is now. Nobody writes anew what is locked.
create function skill_fleet_need_whole_view() returns void
language plpgsql security definer set search_path from current as $$
declare
  tables regclass[] := array[
    'skills', 'skill_sync', 'skill_files', 'taxonomy_categories', 'skill_categories', 'skill_keywords', 'skill_tags',
    'capabilities', 'skill_dependencies', 'skill_references', 'skill_aliases', 'skill_facets', 'skill_allowed_tools'
  ];
begin
  execute format('lock table %s in access share mode', array_to_string(tables, ', '));
  if exists (
    select from pg_class where oid = any (tables) and relfilenode <> pg_relation_filenode(oid)
  ) then
    raise exception 'a table of the library was written anew since this transaction began'
      using errcode = 'serialization_failure', hint = 'Run the transaction again.';
  end if;
end
$$;

-- As in 0004, for a transaction that sees more than one moment as well as for one that sees one alone.
create or replace function skill_fleet_note_change(changed_skill_id integer) returns boolean
language plpgsql security definer set search_path from current set plan_cache_mode = force_generic_plan as $$
begin
  if not skill_fleet_lock(changed_skill_id) then
    return false;
  end if;
  if current_setting('transaction_isolation') <> 'read committed' then
    perform skill_fleet_need_whole_view();
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
