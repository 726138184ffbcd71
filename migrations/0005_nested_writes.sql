-- A trigger of someone else may change skills while a sync writes: that is noted as any other change.

-- The functions below keep this search path for themselves, temporary tables last, as those of 0002 do.
select set_config('search_path', current_setting('search_path') || ', pg_temp', true);

-- As in 0002, for the statements of the sync itself: the conditions of triggers, where this stands, count no trigger
-- yet where such a statement fires them, and one where a trigger's statement does.
create or replace function skill_fleet_is_syncing() returns boolean
language sql stable as $$
  select coalesce(current_setting('skill_fleet.syncing', true), '') = 'on' and pg_trigger_depth() = 0
$$;

-- As in 0004, and knows a skill that came to be under a savepoint, as those of a sync do: its xid is younger than
-- that of the transaction.
create or replace function skill_fleet_lock(changed_skill_id integer) returns boolean
language plpgsql security definer set search_path from current set plan_cache_mode = force_generic_plan as $$
begin
  -- A statement that inserts a skill and what belongs to it: these triggers run before that of the skill.
  if not exists (select from skill_sync y where y.skill_id = changed_skill_id)
    and exists (
      select from skills s
      where s.skill_id = changed_skill_id and age(s.xmin) <= age(pg_current_xact_id()::xid)
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
