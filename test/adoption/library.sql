-- A library as a team made it for itself, before it knew of skill-fleet: the known tables with the team's own
-- names, checks, columns and rows, and what only the team reads.

create type skill_status_enum as enum ('draft', 'active', 'deprecated', 'archived');
create type skill_type_enum as enum
  ('cognitive', 'technical', 'domain', 'tool', 'mcp', 'specialization', 'task_focus', 'memory');
create type skill_weight_enum as enum ('lightweight', 'medium', 'heavyweight');
create type load_priority_enum as enum ('always', 'task_specific', 'on_demand', 'dormant');
create type skill_style_enum as enum ('navigation_hub', 'comprehensive', 'minimal');
create type dependency_type_enum as enum ('required', 'recommended', 'conflict');
create type file_type_enum as enum ('reference', 'guide', 'template', 'script', 'example', 'asset', 'test');
create type job_state as enum ('queued', 'running', 'done', 'failed');
create type verdict as enum ('pass', 'warn', 'fail');

create function team_stamp_change() returns trigger
language plpgsql as $$
begin
  new.last_modified := clock_timestamp();
  return new;
end
$$;

create table skills (
  skill_id serial primary key,
  skill_path varchar(512) not null constraint skills_path_taken unique,
  name varchar(64) not null,
  description text not null,
  version varchar(20) not null default '1.0.0',
  parent_version_id integer constraint skills_parent_known references skills,
  type skill_type_enum not null,
  weight skill_weight_enum not null default 'medium',
  load_priority load_priority_enum not null default 'task_specific',
  status skill_status_enum not null default 'draft',
  skill_style skill_style_enum,
  skill_content text not null,
  scope text,
  created_at timestamptz not null default now(),
  last_modified timestamptz not null default now(),
  published_at timestamptz,
  change_summary text,
  integrity_hash varchar(64),
  performance_stats jsonb default '{}',
  owner_team varchar(40) not null default 'platform',
  reviewed boolean default false,
  search_vector tsvector generated always as (
    setweight(to_tsvector('english', coalesce(name, '')), 'A')
    || setweight(to_tsvector('english', coalesce(description, '')), 'B')
    || setweight(to_tsvector('english', coalesce(skill_content, '')), 'C')
  ) stored,
  constraint skills_path_chars check (skill_path ~ '^[a-z0-9_-]+(/[a-z0-9_-]+)*$'),
  constraint "Skills: kebab-case names" check (name ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
  constraint skills_semver check (version ~ '^[0-9]+[.][0-9]+[.][0-9]+$'),
  constraint skills_not_their_own_parent check (parent_version_id <> skill_id),
  constraint skills_owned check (owner_team <> '')
);

create index ix_skills_text on skills using gin (search_vector);
create index ix_skills_by_status on skills (status);
create index ix_skills_live on skills (type, load_priority) where status = 'active';
create index ix_skills_lower_name on skills (lower(name));
create index ix_skills_parent on skills (parent_version_id);

create trigger team_skills_stamp before update on skills for each row execute function team_stamp_change();

create table taxonomy_categories (
  category_id serial primary key,
  path varchar(512) not null unique,
  name varchar(128) not null,
  description text,
  parent_id integer references taxonomy_categories,
  level integer not null default 0 check (level >= 0),
  sort_order integer default 0,
  created_at timestamptz not null default now(),
  icon varchar(16)
);

create index ix_categories_parent on taxonomy_categories (parent_id);

create table taxonomy_closure (
  ancestor_id integer not null references taxonomy_categories on delete cascade,
  descendant_id integer not null references taxonomy_categories on delete cascade,
  depth integer not null,
  primary key (ancestor_id, descendant_id)
);

create table skill_categories (
  skill_id integer not null references skills on delete cascade,
  category_id integer not null references taxonomy_categories,
  is_primary boolean not null default false,
  created_at timestamptz not null default now(),
  primary key (skill_id, category_id)
);

create index ix_filed_under on skill_categories (category_id);

create table skill_keywords (
  skill_id integer not null references skills on delete cascade,
  keyword varchar(128) not null,
  weight float default 1.0,
  created_at timestamptz not null default now(),
  primary key (skill_id, keyword)
);

create table skill_tags (
  skill_id integer not null references skills on delete cascade,
  tag varchar(64) not null,
  created_at timestamptz not null default now(),
  primary key (skill_id, tag)
);

create index ix_tags_by_tag on skill_tags (tag);

create table tag_stats (
  tag varchar(64) primary key,
  usage_count integer default 0,
  last_used_at timestamptz,
  created_at timestamptz not null default now()
);

create table capabilities (
  capability_id serial primary key,
  skill_id integer not null references skills on delete cascade,
  name varchar(128) not null,
  description text not null,
  test_criteria text,
  sort_order integer default 0,
  created_at timestamptz not null default now(),
  constraint one_capability_of_a_name unique (skill_id, name)
);

create table skill_dependencies (
  dependency_id serial primary key,
  dependent_id integer not null references skills on delete cascade,
  dependency_skill_id integer not null references skills on delete cascade,
  dependency_type dependency_type_enum not null,
  justification text,
  created_at timestamptz not null default now(),
  constraint one_dependency_of_a_pair unique (dependent_id, dependency_skill_id),
  constraint needs_another check (dependent_id <> dependency_skill_id)
);

create index ix_needed_by on skill_dependencies (dependency_skill_id);

create table dependency_closure (
  ancestor_id integer not null references skills,
  descendant_id integer not null references skills,
  min_depth integer not null,
  dependency_types text[],
  primary key (ancestor_id, descendant_id)
);

create table skill_references (
  source_skill_id integer not null references skills on delete cascade,
  target_skill_id integer not null references skills on delete cascade,
  reference_type varchar(32) not null default 'see_also',
  created_at timestamptz not null default now(),
  primary key (source_skill_id, target_skill_id)
);

create table skill_files (
  file_id serial primary key,
  skill_id integer not null references skills on delete cascade,
  file_type file_type_enum not null,
  relative_path varchar(512) not null,
  filename varchar(256) not null,
  content text,
  binary_data bytea,
  file_size_bytes integer,
  checksum varchar(64),
  description text,
  sort_order integer default 0,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  uploaded_by varchar(64) default 'api',
  constraint one_file_of_a_path unique (skill_id, relative_path),
  constraint text_or_bytes check (content is null or binary_data is null)
);

create table skill_allowed_tools (
  skill_id integer not null references skills on delete cascade,
  tool_name varchar(64) not null,
  required boolean not null default false,
  description text,
  created_at timestamptz not null default now(),
  primary key (skill_id, tool_name)
);

create table skill_aliases (
  alias_id serial primary key,
  skill_id integer not null references skills on delete cascade,
  alias_path varchar(512) not null,
  reason text,
  created_at timestamptz not null default now(),
  constraint one_alias_of_a_path unique (skill_id, alias_path),
  constraint alias_chars check (alias_path ~ '^[a-z0-9_.-]+(/[a-z0-9_.-]+)*$')
);

create index ix_alias_lookup on skill_aliases (alias_path);

create table facet_definitions (
  facet_key varchar(64) primary key,
  allowed_values text[],
  description text,
  created_at timestamptz not null default now()
);

create table skill_facets (
  skill_id integer not null references skills on delete cascade,
  facet_key varchar(64) not null,
  facet_value varchar(256) not null,
  created_at timestamptz not null default now(),
  primary key (skill_id, facet_key, facet_value)
);

-- What no sync ever touches.

create table jobs (
  job_id uuid primary key default gen_random_uuid(),
  state job_state not null default 'queued',
  task text not null,
  requested_by varchar(64) not null,
  progress integer not null default 0 check (progress between 0 and 100),
  result jsonb,
  created_at timestamptz not null default now()
);

create table hitl_interactions (
  interaction_id serial primary key,
  job_id uuid not null references jobs on delete cascade,
  question jsonb not null,
  answer jsonb,
  asked_at timestamptz not null default now()
);

create table deep_understanding_state (
  state_id serial primary key,
  job_id uuid not null unique references jobs on delete cascade,
  questions jsonb not null default '[]',
  summary text,
  readiness float not null default 0
);

create table tdd_workflow_state (
  state_id serial primary key,
  job_id uuid not null unique references jobs on delete cascade,
  phase varchar(16),
  checklist jsonb not null default '{}'
);

create table validation_reports (
  report_id serial primary key,
  skill_id integer references skills on delete set null,
  job_id uuid references jobs on delete set null,
  verdict verdict not null,
  score float not null check (score between 0 and 1),
  warnings text[],
  created_at timestamptz not null default now()
);

create table validation_checks (
  check_id serial primary key,
  report_id integer not null references validation_reports on delete cascade,
  check_name varchar(128) not null,
  passed boolean not null,
  message text
);

create table skill_test_coverage (
  coverage_id serial primary key,
  skill_id integer not null references skills on delete cascade,
  total_tests integer not null default 0,
  passing_tests integer not null default 0,
  last_run_at timestamptz
);

create table usage_events (
  event_id bigserial primary key,
  skill_id integer not null references skills,
  user_id varchar(128) not null,
  success boolean not null default true,
  duration_ms integer,
  context jsonb default '{}',
  occurred_at timestamptz not null default now()
);

create index ix_usage_recent on usage_events (skill_id, occurred_at desc);

create table skill_statistics (
  skill_id integer primary key references skills on delete cascade,
  total_uses bigint not null default 0,
  success_rate numeric(5, 4),
  computed_at timestamptz not null
);

create table optimization_jobs (
  job_id uuid primary key default gen_random_uuid(),
  optimizer varchar(64) not null,
  training_skills text[],
  metrics jsonb,
  created_at timestamptz not null default now()
);

create table conversation_sessions (
  session_id uuid primary key default gen_random_uuid(),
  user_id varchar(128) not null,
  messages jsonb not null default '[]',
  skill_id integer references skills on delete set null,
  updated_at timestamptz not null default now()
);

-- What the team's API and its reports read.

create view every_skill as
  select skill_id, skill_path, name, description, version, parent_version_id, type, weight, load_priority,
    status, skill_style, skill_content, scope, created_at, last_modified, published_at, change_summary,
    integrity_hash, performance_stats, owner_team, reviewed, search_vector
  from skills;

create view skill_overview as
  select s.skill_id, s.skill_path, s.status,
    (select string_agg(t.tag, ',' order by t.tag) from skill_tags t where t.skill_id = s.skill_id) as tags,
    (select array_agg(k.keyword order by k.weight desc, k.keyword) from skill_keywords k
      where k.skill_id = s.skill_id) as keywords,
    count(distinct c.capability_id) as capabilities,
    count(distinct f.file_id) as files,
    max(f.file_size_bytes) as largest_file
  from skills s
  left join capabilities c using (skill_id)
  left join skill_files f using (skill_id)
  group by s.skill_id;

create view live_overview as
  select o.skill_path, o.tags, o.files from skill_overview o where o.status = 'active';

create view closure_by_path as
  select a.skill_path as dependent, d.skill_path as needed, c.min_depth
  from dependency_closure c
  join skills a on a.skill_id = c.ancestor_id join skills d on d.skill_id = c.descendant_id;

create materialized view usage_summary as
  select s.skill_id, s.skill_path, s.name, s.status, s.type, s.version, count(u.event_id) as uses,
    avg(u.duration_ms)::integer as mean_ms
  from skills s left join usage_events u using (skill_id)
  group by s.skill_id;

create unique index ux_usage_summary on usage_summary (skill_id);

create function team_find(words text) returns table (skill_path varchar, rank real)
language sql stable as $$
  select s.skill_path, ts_rank(s.search_vector, plainto_tsquery('english', words))
  from skills s where s.search_vector @@ plainto_tsquery('english', words) order by 2 desc, 1
$$;

create function team_skills_of(team varchar) returns setof skills
language sql stable as $$
  select * from skills where owner_team = team order by skill_id
$$;

create function team_refresh() returns void
language plpgsql as $$
begin
  refresh materialized view concurrently usage_summary;
end
$$;

-- Rows.

insert into taxonomy_categories (category_id, path, name, description, parent_id, level, sort_order, icon, created_at)
values
  (1, 'development', 'Development', 'Writing software', null, 0, 1, 'code', '2025-01-01Z'),
  (2, 'development/languages', 'Languages', null, 1, 1, 1, null, '2025-01-01Z'),
  (3, 'development/languages/python', 'Python', null, 2, 2, 1, 'snake', '2025-01-01Z'),
  (4, 'operations', 'Operations', null, null, 0, 2, null, '2025-01-01Z'),
  (5, 'operations/deployment', 'Deployment', null, 4, 1, null, null, '2025-01-02Z'),
  (6, 'house_style', 'House style', 'A category of our own', null, 0, 9, null, '2025-02-01Z');
select setval('taxonomy_categories_category_id_seq', 6);

insert into skills (
  skill_id, skill_path, name, description, version, parent_version_id, type, weight, load_priority, status,
  skill_style, skill_content, scope, created_at, last_modified, published_at, change_summary, integrity_hash,
  performance_stats, owner_team, reviewed
) values
  (1, 'development/languages/python/asyncio', 'asyncio', 'Event loops, tasks and cancellation.', '2.1.0', null,
    'technical', 'medium', 'task_specific', 'active', 'comprehensive',
    E'# asyncio\n\nAwait what you start.\n\n## Capabilities\n\n- **Cancel**: Stop a task and wait for it.\n- **Gather**: Run many at once.\n',
    null, '2025-01-10Z', '2025-03-01Z', '2025-02-01Z', 'Second edition', repeat('a', 64),
    '{"mean_tokens": 812}', 'platform', true),
  (2, 'development/languages/python/asyncio-v1', 'asyncio', 'Event loops.', '1.0.0', null,
    'technical', 'medium', 'dormant', 'archived', null, E'# asyncio\n\nThe first edition.\n', null,
    '2024-06-01Z', '2025-01-10Z', '2024-06-02Z', null, null, '{}', 'platform', true),
  (3, 'operations/deployment/small-images', 'small-images', 'Say it: "small" images # and: fast ones', '1.0.3',
    null, 'tool', 'heavyweight', 'always', 'active', 'minimal',
    E'# Small images\r\n\r\nTwo stages.\r\n', 'containers', '2025-01-11Z', '2025-01-11Z', null, null, null, null,
    'delivery', false),
  (4, 'operations/deployment/blue-green', 'blue-green', E'Two fleets.\nOne switch.', '1.0.0', null,
    'domain', 'lightweight', 'on_demand', 'deprecated', null, '# Blue and green', null,
    '2025-01-12Z', '2025-01-12Z', null, null, null, '{}', 'delivery', null),
  (5, 'house_style/commit-messages', 'commit-messages', 'How we word commits — «kurz» und gut. 短く。', '0.1.0', null,
    'cognitive', 'medium', 'task_specific', 'draft', null,
    E'---\nname: commit-messages\ndescription: "How we word commits — «kurz» und gut. 短く。"   # keep short\nmetadata: {status: draft, version: 0.1.0, type: cognitive}\n---\n\n# Commit messages\n\n---\n\nImperative mood.\n',
    null, '2025-01-13Z', '2025-01-13Z', null, null, null, '{}', 'platform', false),
  (6, 'no-category', 'no-category', 'Belongs nowhere.', '1.0.0', null,
    'memory', 'medium', 'task_specific', 'active', null, '', null,
    '2025-01-14Z', '2025-01-14Z', null, null, null, '{}', 'platform', false),
  (7, 'development/languages/python/async_tests', 'testing-of-async', 'Tests of coroutines.', '10.20.30', 1,
    'specialization', 'medium', 'task_specific', 'active', 'navigation_hub', E'\n\n# Tests\n\n', null,
    '2025-01-15Z', '2025-01-16Z', '2025-01-15Z', null, null, '{}', 'quality', true);
select setval('skills_skill_id_seq', 7);

insert into skill_categories (skill_id, category_id, is_primary, created_at) values
  (1, 3, true, '2025-01-10Z'), (1, 6, false, '2025-01-10Z'), (2, 3, true, '2024-06-01Z'),
  (3, 5, true, '2025-01-11Z'), (4, 4, true, '2025-01-12Z'), (5, 6, true, '2025-01-13Z'), (7, 3, true, '2025-01-15Z');

insert into skill_tags (skill_id, tag, created_at) values
  (1, 'async', '2025-01-10Z'), (1, 'python', '2025-01-10Z'), (3, 'docker', '2025-01-11Z'), (7, 'python', '2025-01-15Z');

-- Tags stand among the keywords too.
insert into skill_keywords (skill_id, keyword, weight, created_at) values
  (1, 'async', 1, '2025-01-10Z'), (1, 'python', 1, '2025-01-10Z'), (1, 'event loop', 2.5, '2025-01-10Z'),
  (1, 'cancellation', null, '2025-01-10Z'), (3, 'docker', 0.25, '2025-01-11Z'), (3, 'multi-stage', 1, '2025-01-11Z'),
  (7, 'pytest', 1, '2025-01-15Z');

insert into tag_stats (tag, usage_count, last_used_at, created_at) values
  ('async', 1, '2025-01-10Z', '2025-01-10Z'), ('python', 2, '2025-01-15Z', '2025-01-10Z'),
  ('docker', 1, null, '2025-01-11Z'), ('forgotten', 0, '2024-01-01Z', '2024-01-01Z');

insert into capabilities (capability_id, skill_id, name, description, test_criteria, sort_order, created_at) values
  (1, 1, 'Cancel', 'Stop a task and wait for it.', 'No task is left behind', 0, '2025-01-10Z'),
  (2, 1, 'Gather', 'Run many at once.', null, 1, '2025-01-10Z'),
  (3, 3, 'Slim: down', '', null, 0, '2025-01-11Z'),
  (4, 7, 'Fixtures', 'Loops for tests.', null, 0, '2025-01-15Z'),
  (5, 7, 'Clocks', 'Time that stands.', null, 1, '2025-01-15Z');
select setval('capabilities_capability_id_seq', 5);

insert into skill_dependencies
  (dependency_id, dependent_id, dependency_skill_id, dependency_type, justification, created_at) values
  (1, 7, 1, 'required', 'Tests what it teaches', '2025-01-15Z'),
  (2, 4, 3, 'recommended', null, '2025-01-12Z'),
  (3, 1, 2, 'conflict', 'Two editions', '2025-01-10Z');
select setval('skill_dependencies_dependency_id_seq', 3);

insert into dependency_closure (ancestor_id, descendant_id, min_depth, dependency_types) values
  (7, 1, 1, '{required}'), (4, 3, 1, '{recommended}'), (1, 2, 1, '{conflict}'), (7, 2, 2, '{required,conflict}');

insert into skill_references (source_skill_id, target_skill_id, reference_type, created_at) values
  (1, 7, 'see_also', '2025-01-15Z'), (1, 2, 'supersedes', '2025-01-10Z'), (3, 4, 'see_also', '2025-01-12Z');

insert into skill_files
  (file_id, skill_id, file_type, relative_path, filename, content, binary_data, file_size_bytes, checksum,
   description, sort_order, created_at, updated_at, uploaded_by) values
  (1, 1, 'example', 'examples/gather.py', 'gather.py', E'import asyncio\n', null, 15,
    encode(sha256(E'import asyncio\n'), 'hex'), 'Runs', 3, '2025-01-10Z', '2025-01-10Z', 'ann'),
  (2, 1, 'asset', 'assets/loop.png', 'loop.png', null, '\x89504e470d0a1a0a00ff', 10, null, null, 4,
    '2025-01-10Z', '2025-01-10Z', 'ann'),
  (3, 3, 'script', 'scripts/slim.sh', 'slim.sh', E'#!/bin/sh\r\nexit 0\r\n', null, null, null, null, null,
    '2025-01-11Z', '2025-01-11Z', 'api'),
  (4, 3, 'template', 'Dockerfile', 'Dockerfile', '', null, 0, null, null, 0, '2025-01-11Z', '2025-01-11Z', 'api'),
  (5, 6, 'reference', 'references/über uns.md', 'über uns.md', E'Wir.\n', null, 5, 'not a checksum', null, 0,
    '2025-01-14Z', '2025-01-14Z', null);
select setval('skill_files_file_id_seq', 5);

insert into skill_allowed_tools (skill_id, tool_name, required, description, created_at) values
  (1, 'Read', true, 'To see the code', '2025-01-10Z'), (1, 'Bash', false, null, '2025-01-10Z'),
  (3, 'Bash', true, null, '2025-01-11Z');

insert into skill_aliases (alias_id, skill_id, alias_path, reason, created_at) values
  (1, 1, 'python/async', 'Moved in 2024', '2025-01-10Z'), (2, 1, 'async.old', null, '2025-01-10Z'),
  (3, 3, 'docker/small', 'renamed', '2025-01-11Z');
select setval('skill_aliases_alias_id_seq', 3);

insert into facet_definitions (facet_key, allowed_values, description, created_at) values
  ('maturity', '{new,stable}', 'How far it is', '2025-01-01Z'), ('language', null, null, '2025-01-01Z');

insert into skill_facets (skill_id, facet_key, facet_value, created_at) values
  (1, 'maturity', 'stable', '2025-01-10Z'), (1, 'language', 'python', '2025-01-10Z'),
  (7, 'language', 'python', '2025-01-15Z');

insert into jobs (job_id, state, task, requested_by, progress, result, created_at) values
  ('00000000-0000-4000-8000-000000000001', 'done', 'Write asyncio', 'ann', 100, '{"skill_id": 1}', '2025-01-09Z'),
  ('00000000-0000-4000-8000-000000000002', 'running', 'Write more', 'bob', 40, null, '2025-03-01Z');
insert into hitl_interactions (job_id, question, answer, asked_at) values
  ('00000000-0000-4000-8000-000000000001', '{"q": "Which loop?"}', '{"a": "asyncio"}', '2025-01-09Z');
insert into deep_understanding_state (job_id, questions, summary, readiness) values
  ('00000000-0000-4000-8000-000000000001', '["why", "who"]', 'Clear.', 0.9);
insert into tdd_workflow_state (job_id, phase, checklist) values
  ('00000000-0000-4000-8000-000000000002', 'red', '{"failing": true}');
insert into validation_reports (skill_id, job_id, verdict, score, warnings, created_at) values
  (1, '00000000-0000-4000-8000-000000000001', 'pass', 0.97, '{"long line"}', '2025-01-10Z'),
  (4, null, 'warn', 0.5, null, '2025-01-12Z');
insert into validation_checks (report_id, check_name, passed, message) values
  (1, 'name', true, null), (2, 'description', false, 'Too short');
insert into skill_test_coverage (skill_id, total_tests, passing_tests, last_run_at) values (1, 12, 11, '2025-02-01Z');
insert into usage_events (skill_id, user_id, success, duration_ms, context, occurred_at) values
  (1, 'ann', true, 120, '{"session": 1}', '2025-02-01Z'), (1, 'bob', false, 3400, '{}', '2025-02-02Z'),
  (2, 'ann', true, null, null, '2024-07-01Z'), (5, 'cat', true, 5, '{}', '2025-02-03Z');
insert into skill_statistics (skill_id, total_uses, success_rate, computed_at) values
  (1, 2, 0.5, '2025-02-03Z'), (2, 1, 1, '2025-02-03Z');
insert into optimization_jobs (job_id, optimizer, training_skills, metrics, created_at) values
  ('00000000-0000-4000-8000-000000000003', 'bootstrap', '{asyncio,small-images}', '{"score": 0.8}', '2025-02-01Z');
insert into conversation_sessions (session_id, user_id, messages, skill_id, updated_at) values
  ('00000000-0000-4000-8000-000000000004', 'ann', '[{"role": "user", "text": "hello"}]', 1, '2025-02-01Z');

refresh materialized view usage_summary;
