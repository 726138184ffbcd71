-- What skill-fleet adds: the exact text of documents, bookkeeping beside the skills, history, runs, and the
-- triggers that note a change by anyone else.

-- The functions below keep this search path for themselves. Temporary tables come last in it, so that no
-- writer's own can stand in for ours.
select set_config('search_path', current_setting('search_path') || ', pg_temp', true);

-- The specification's rules for names, versions and paths are a validator's to report; the database only
-- refuses what no tree could hold.
do $$
declare
  narrow record;
begin
  for narrow in
    select distinct c.conname
    from pg_constraint c
    join pg_attribute a on a.attrelid = c.conrelid and a.attnum = any (c.conkey)
    where c.conrelid = 'skills'::regclass and c.contype = 'c'
      and a.attname in ('skill_path', 'name', 'version')
  loop
    execute format('alter table skills drop constraint %I', narrow.conname);
  end loop;
end
$$;

alter table skills
  add column frontmatter_source text,
  add column extra jsonb not null default '{}',
  add column deleted_at timestamptz,
  add constraint skills_path_is_relative check (
    skill_path !~ '(^|/)[.]{0,2}(/|$)' and skill_path !~ '[[:cntrl:]]'
  ),
  add constraint skills_name_is_not_empty check (name <> ''),
  add constraint skills_version_is_not_empty check (version <> '');

comment on column skills.frontmatter_source is
  'the exact text of the document that precedes skill_content; null where no document was ever stored';
comment on column skills.extra is 'frontmatter keys that no column holds';
comment on column skills.deleted_at is 'set where the skill is deleted, so that it can be taken back';

alter table skill_files
  add column file_mode varchar(6) not null default '100644'
    constraint skill_files_mode_is_known check (file_mode in ('100644', '100755'));

create sequence skill_revision_seq;

-- One row a skill. It stands beside skills so that bookkeeping neither fires the triggers of skills nor
-- bumps last_modified.
create table skill_sync (
  skill_id integer primary key references skills (skill_id) on delete cascade,
  revision bigint not null default nextval('skill_revision_seq'),
  revised_at timestamptz,
  origin text not null default 'database' check (origin in ('files', 'database')),
  writer text,
  revision_xid xid8,
  digest varchar(64),
  digest_revision bigint,
  indexed jsonb,
  index_version integer,
  taxonomy_version varchar(64),
  targets jsonb not null default '[]',
  category_reason text,
  states_status boolean not null default false,
  document_name varchar(512) not null default 'SKILL.md',
  document_mode varchar(6) not null default '100644' check (document_mode in ('100644', '100755'))
);

comment on column skill_sync.digest is 'of the skill''s content, true for digest_revision only';
comment on column skill_sync.indexed is 'what the sync wrote into columns and relations for the stored text';
comment on column skill_sync.index_version is 'of the parser that filled the index';
comment on column skill_sync.taxonomy_version is 'of the mapping that chose the category';
comment on column skill_sync.targets is
  'the dependencies and references that the document names, each with the skill that it was resolved to';
comment on column skill_sync.states_status is
  'whether the document names its status; where it does not, a status that the row has stays';

insert into skill_sync (skill_id) select skill_id from skills;

-- What each change replaced. It outlives its skill, so nothing here refers to skills.
create table skill_revisions (
  skill_id integer not null,
  revision bigint not null,
  skill_path varchar(512) not null,
  document_name varchar(512) not null,
  document_mode varchar(6) not null,
  frontmatter_source text,
  skill_content text,
  index jsonb,
  files jsonb not null,
  digest varchar(64),
  origin text not null,
  writer text,
  revised_at timestamptz,
  replaced_at timestamptz not null default now(),
  replaced_by_run bigint,
  primary key (skill_id, revision)
);

comment on column skill_revisions.index is
  'what columns and relations said; null for files that a forced import overwrote';

create index skill_revisions_digest_idx on skill_revisions (skill_id, digest);

-- Contents of files that were replaced or removed, once each.
create table skill_blobs (
  sha256 varchar(64) primary key,
  bytes bytea not null
);

create table sync_databases (
  database_id uuid primary key default gen_random_uuid(),
  created_at timestamptz not null default now()
);

insert into sync_databases default values;

create table sync_runs (
  run_id bigserial primary key,
  direction text not null check (direction in ('export', 'import', 'sync')),
  who text not null,
  host text not null,
  directory text not null,
  started_at timestamptz not null default clock_timestamp(),
  finished_at timestamptz,
  outcome text not null default 'running' check (outcome in ('running', 'success', 'failed')),
  counts jsonb not null default '{}',
  error text
);

create table sync_log (
  log_id bigserial primary key,
  run_id bigint not null references sync_runs (run_id) on delete cascade,
  skill_path varchar(512) not null,
  skill_id integer,
  operation text not null check (operation in ('create', 'update', 'remove')),
  direction text not null check (direction in ('to_database', 'to_files')),
  status text not null check (status in ('pending', 'success', 'failed')),
  error text,
  logged_at timestamptz not null default clock_timestamp()
);

create index sync_log_run_idx on sync_log (run_id);

-- What the columns and relations of these skills say, as one value a skill: compared with skill_sync.indexed
-- to see what another writer changed, and kept with each revision.
create function skill_fleet_index(ids integer[])
returns table (skill_id integer, index jsonb)
language sql stable as $$
  select s.skill_id, jsonb_build_object(
    'name', s.name,
    'description', s.description,
    'version', s.version,
    'type', s.type,
    'weight', s.weight,
    'load_priority', s.load_priority,
    'status', s.status,
    'skill_style', s.skill_style,
    'scope', s.scope,
    'extra', s.extra,
    'category', category.path,
    'keywords', coalesce(keywords.items, '[]'),
    'tags', coalesce(tags.items, '[]'),
    'capabilities', coalesce(capabilities.items, '[]'),
    'dependencies', coalesce(dependencies.items, '[]'),
    'references', coalesce(reference.items, '[]'),
    'aliases', coalesce(aliases.items, '[]'),
    'facets', coalesce(facets.items, '[]'),
    'allowed_tools', coalesce(tools.items, '[]')
  )
  from skills s
  left join (
    select sc.skill_id, min(c.path) as path
    from skill_categories sc join taxonomy_categories c using (category_id)
    where sc.skill_id = any (ids) and sc.is_primary
    group by sc.skill_id
  ) category using (skill_id)
  left join (
    select k.skill_id, jsonb_agg(k.keyword order by k.keyword collate "C") as items
    from skill_keywords k where k.skill_id = any (ids) group by k.skill_id
  ) keywords using (skill_id)
  left join (
    select t.skill_id, jsonb_agg(t.tag order by t.tag collate "C") as items
    from skill_tags t where t.skill_id = any (ids) group by t.skill_id
  ) tags using (skill_id)
  left join (
    select c.skill_id, jsonb_agg(
      jsonb_build_object('name', c.name, 'description', coalesce(c.description, ''))
      order by c.sort_order, c.name collate "C"
    ) as items
    from capabilities c where c.skill_id = any (ids) group by c.skill_id
  ) capabilities using (skill_id)
  left join (
    select d.dependent_id as skill_id, jsonb_agg(
      jsonb_build_object('skill_id', d.dependency_skill_id, 'type', d.dependency_type, 'justification', d.justification)
      order by d.dependency_skill_id
    ) as items
    from skill_dependencies d where d.dependent_id = any (ids) group by d.dependent_id
  ) dependencies using (skill_id)
  left join (
    select r.source_skill_id as skill_id, jsonb_agg(
      jsonb_build_object('skill_id', r.target_skill_id, 'type', r.reference_type)
      order by r.target_skill_id, r.reference_type collate "C"
    ) as items
    from skill_references r where r.source_skill_id = any (ids) group by r.source_skill_id
  ) reference using (skill_id)
  left join (
    -- An alias that only a rename left is no part of the document.
    select a.skill_id, jsonb_agg(a.alias_path order by a.alias_path collate "C") as items
    from skill_aliases a where a.skill_id = any (ids) and a.reason is distinct from 'renamed' group by a.skill_id
  ) aliases using (skill_id)
  left join (
    select f.skill_id, jsonb_agg(
      jsonb_build_object('key', f.facet_key, 'value', f.facet_value)
      order by f.facet_key collate "C", f.facet_value collate "C"
    ) as items
    from skill_facets f where f.skill_id = any (ids) group by f.skill_id
  ) facets using (skill_id)
  left join (
    select t.skill_id, jsonb_agg(t.tool_name order by t.tool_name collate "C") as items
    from skill_allowed_tools t where t.skill_id = any (ids) group by t.skill_id
  ) tools using (skill_id)
  where s.skill_id = any (ids)
$$;

-- Keeps the present state of these skills in the history, under the revision that they have. A row that no
-- trigger saw, as a restored one, gets its first revision here.
create function skill_fleet_archive(ids integer[], run bigint)
returns void
language plpgsql as $$
begin
  insert into skill_sync (skill_id) select s.skill_id from skills s where s.skill_id = any (ids)
  on conflict (skill_id) do nothing;
  insert into skill_revisions (
    skill_id, revision, skill_path, document_name, document_mode, frontmatter_source, skill_content,
    index, files, digest, origin, writer, revised_at, replaced_by_run
  )
  select
    s.skill_id, y.revision, s.skill_path, y.document_name, y.document_mode, s.frontmatter_source, s.skill_content,
    i.index,
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

-- A sync declares itself for its transaction, and does the bookkeeping below itself, set-based.
create function skill_fleet_is_syncing() returns boolean
language sql stable as $$
  select coalesce(current_setting('skill_fleet.syncing', true), '') = 'on'
$$;

-- Notes that someone else is about to change a skill: the first time in a transaction, the state before is
-- archived and the skill gets a new revision, whose digest nobody knows. A transaction is told by its id
-- together with its time, since a dump restored elsewhere repeats old ids. The row of skill_sync is locked
-- first, so that of two writers the second archives what the first one left. Planning anew for each row takes
-- longer than all the rest.
create function skill_fleet_note_change(changed_skill_id integer) returns void
language plpgsql security definer set search_path from current set plan_cache_mode = force_generic_plan as $$
declare
  noted skill_sync;
begin
  select * into noted from skill_sync y where y.skill_id = changed_skill_id for update;
  if noted.revision_xid = pg_current_xact_id() and noted.revised_at = transaction_timestamp() then
    return;
  end if;
  perform skill_fleet_archive(array[changed_skill_id], null);
  update skill_sync y
  set revision = nextval('skill_revision_seq'),
      revised_at = transaction_timestamp(),
      origin = 'database',
      writer = concat_ws(' ', session_user, nullif(current_setting('application_name', true), '')),
      revision_xid = pg_current_xact_id()
  where y.skill_id = changed_skill_id;
end
$$;

create function skill_fleet_skill_inserted() returns trigger
language plpgsql security definer set search_path from current as $$
begin
  insert into skill_sync (skill_id, revised_at, writer, revision_xid)
  values (
    new.skill_id,
    transaction_timestamp(),
    concat_ws(' ', session_user, nullif(current_setting('application_name', true), '')),
    pg_current_xact_id()
  );
  return null;
end
$$;

create trigger skill_fleet_inserted after insert on skills
  for each row when (not skill_fleet_is_syncing()) execute function skill_fleet_skill_inserted();

-- The first argument names the column that holds the skill's key, the others are all that is synced of a row.
create function skill_fleet_changed() returns trigger
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
  return case tg_op when 'DELETE' then old else new end;
end
$$;

create function skill_fleet_emptied() returns trigger
language plpgsql security definer set search_path from current as $$
declare
  changed integer[];
begin
  execute format('select array_agg(distinct %I order by %1$I) from %s', tg_argv[0], tg_relid::regclass) into changed;
  perform skill_fleet_note_change(id) from unnest(changed) as emptied (id);
  if tg_table_name = 'skill_files' then
    insert into skill_blobs (sha256, bytes)
    select distinct on (1) encode(sha256(kept), 'hex'), kept
    from skill_files f, coalesce(f.binary_data, convert_to(f.content, 'UTF8')) as kept
    where kept is not null
    on conflict (sha256) do nothing;
  end if;
  return null;
end
$$;

-- A skill's category is known by its path: renaming or removing the one changes the other.
create function skill_fleet_category_changed() returns trigger
language plpgsql security definer set search_path from current as $$
begin
  perform skill_fleet_note_change(skill_id)
  from (
    select sc.skill_id from skill_categories sc where sc.category_id = old.category_id and sc.is_primary order by 1
  ) as within;
  return case tg_op when 'DELETE' then old else new end;
end
$$;

create trigger skill_fleet_renamed before update on taxonomy_categories for each row
  when (not skill_fleet_is_syncing() and old.path is distinct from new.path)
  execute function skill_fleet_category_changed();
create trigger skill_fleet_removed before delete on taxonomy_categories for each row
  when (not skill_fleet_is_syncing()) execute function skill_fleet_category_changed();

do $$
declare
  synced record;
begin
  for synced in
    select * from (values
      ('skills', 'skill_id', false, array['skill_path', 'name', 'description', 'version', 'type', 'weight',
        'load_priority', 'status', 'skill_style', 'skill_content', 'scope', 'frontmatter_source', 'extra',
        'deleted_at']),
      ('skill_categories', 'skill_id', true, array['skill_id', 'category_id', 'is_primary']),
      ('skill_keywords', 'skill_id', true, array['skill_id', 'keyword']),
      ('skill_tags', 'skill_id', true, array['skill_id', 'tag']),
      ('capabilities', 'skill_id', true, array['skill_id', 'name', 'description', 'sort_order']),
      ('skill_dependencies', 'dependent_id', true,
        array['dependent_id', 'dependency_skill_id', 'dependency_type', 'justification']),
      ('skill_references', 'source_skill_id', true,
        array['source_skill_id', 'target_skill_id', 'reference_type']),
      ('skill_aliases', 'skill_id', true, array['skill_id', 'alias_path', 'reason']),
      ('skill_facets', 'skill_id', true, array['skill_id', 'facet_key', 'facet_value']),
      ('skill_allowed_tools', 'skill_id', true, array['skill_id', 'tool_name']),
      ('skill_files', 'skill_id', true,
        array['skill_id', 'relative_path', 'content', 'binary_data', 'file_mode'])
    ) as synced_tables (name, skill_column, on_insert, columns)
  loop
    execute format(
      'create trigger skill_fleet_%s before %s on %I for each row
         when (not skill_fleet_is_syncing()) execute function skill_fleet_changed(%L, %s)',
      case when synced.on_insert then 'added_or_removed' else 'removed' end,
      case when synced.on_insert then 'insert or delete' else 'delete' end,
      synced.name, synced.skill_column,
      (select string_agg(quote_literal(name), ', ') from unnest(synced.columns) as listed (name))
    );
    execute format(
      'create trigger skill_fleet_emptied before truncate on %I for each statement
         when (not skill_fleet_is_syncing()) execute function skill_fleet_emptied(%L)',
      synced.name, synced.skill_column
    );
    execute format(
      'create trigger skill_fleet_updated before update on %I for each row
         when (not skill_fleet_is_syncing() and (%s)) execute function skill_fleet_changed(%L)',
      synced.name,
      (select string_agg(format('old.%1$I is distinct from new.%1$I', name), ' or ')
         from unnest(synced.columns) as listed (name)),
      synced.skill_column
    );
  end loop;
end
$$;

-- Whoever replaces or removes a file's content, a sync too: the content stays with the history.
create function skill_fleet_keep_blob() returns trigger
language plpgsql security definer set search_path from current as $$
declare
  kept bytea := coalesce(old.binary_data, convert_to(old.content, 'UTF8'));
begin
  if kept is not null then
    insert into skill_blobs (sha256, bytes) values (encode(sha256(kept), 'hex'), kept)
    on conflict (sha256) do nothing;
  end if;
  return case tg_op when 'DELETE' then old else new end;
end
$$;

create trigger skill_fleet_keep_removed before delete on skill_files
  for each row execute function skill_fleet_keep_blob();
create trigger skill_fleet_keep_replaced before update on skill_files
  for each row when (old.content is distinct from new.content or old.binary_data is distinct from new.binary_data)
  execute function skill_fleet_keep_blob();
