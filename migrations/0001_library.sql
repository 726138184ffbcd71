-- The library: skills, their categories, relations and files, in the shape that existing databases have.
-- Everything here is created only where it is missing, so that such a database can be adopted as it stands.

do $$
declare
  wanted record;
begin
  for wanted in
    select * from (values
      ('skill_status_enum', array['draft', 'active', 'deprecated', 'archived']),
      ('skill_type_enum', array['cognitive', 'technical', 'domain', 'tool', 'mcp', 'specialization', 'task_focus', 'memory']),
      ('skill_weight_enum', array['lightweight', 'medium', 'heavyweight']),
      ('load_priority_enum', array['always', 'task_specific', 'on_demand', 'dormant']),
      ('skill_style_enum', array['navigation_hub', 'comprehensive', 'minimal']),
      ('dependency_type_enum', array['required', 'recommended', 'conflict']),
      ('file_type_enum', array['reference', 'guide', 'template', 'script', 'example', 'asset', 'test'])
    ) as enums (name, labels)
  loop
    if to_regtype(wanted.name) is null then
      execute format(
        'create type %I as enum (%s)',
        wanted.name,
        (select string_agg(quote_literal(label), ', ' order by position)
           from unnest(wanted.labels) with ordinality as listed (label, position))
      );
    end if;
  end loop;
end
$$;

create table if not exists skills (
  skill_id serial primary key,
  skill_path varchar(512) not null unique,
  name varchar(64) not null,
  description text not null default '',
  version varchar(20) not null default '1.0.0',
  parent_version_id integer references skills (skill_id) on delete set null,
  type skill_type_enum not null,
  weight skill_weight_enum not null default 'medium',
  load_priority load_priority_enum not null default 'task_specific',
  status skill_status_enum not null default 'draft',
  skill_style skill_style_enum,
  skill_content text,
  scope text,
  created_at timestamptz not null default now(),
  last_modified timestamptz not null default now(),
  published_at timestamptz,
  change_summary text,
  integrity_hash varchar(64),
  performance_stats jsonb,
  search_vector tsvector generated always as (
    setweight(to_tsvector('english', coalesce(name, '')), 'A')
    || setweight(to_tsvector('english', coalesce(description, '')), 'B')
    || setweight(to_tsvector('english', coalesce(skill_content, '')), 'C')
  ) stored
);

create index if not exists skills_search_vector_idx on skills using gin (search_vector);
create index if not exists skills_status_idx on skills (status);

create or replace function skill_fleet_touch_last_modified() returns trigger
language plpgsql as $$
begin
  new.last_modified := now();
  return new;
end
$$;

-- An adopted table has a trigger of its own for this.
do $$
begin
  if not exists (
    select from pg_trigger
    where tgrelid = 'skills'::regclass and not tgisinternal and (tgtype & 16) <> 0
  ) then
    create trigger skills_touch_last_modified before update on skills
      for each row execute function skill_fleet_touch_last_modified();
  end if;
end
$$;

create table if not exists taxonomy_categories (
  category_id serial primary key,
  path varchar(512) not null unique,
  name varchar(128) not null,
  description text,
  parent_id integer references taxonomy_categories (category_id) on delete cascade,
  level integer not null default 0,
  sort_order integer not null default 0,
  created_at timestamptz not null default now()
);

create table if not exists taxonomy_closure (
  ancestor_id integer not null references taxonomy_categories (category_id) on delete cascade,
  descendant_id integer not null references taxonomy_categories (category_id) on delete cascade,
  depth integer not null,
  primary key (ancestor_id, descendant_id)
);

create table if not exists skill_categories (
  skill_id integer not null references skills (skill_id) on delete cascade,
  category_id integer not null references taxonomy_categories (category_id) on delete cascade,
  is_primary boolean not null default false,
  created_at timestamptz not null default now(),
  primary key (skill_id, category_id)
);

create table if not exists skill_keywords (
  skill_id integer not null references skills (skill_id) on delete cascade,
  keyword varchar(128) not null,
  weight float not null default 1.0,
  primary key (skill_id, keyword)
);

create table if not exists skill_tags (
  skill_id integer not null references skills (skill_id) on delete cascade,
  tag varchar(64) not null,
  primary key (skill_id, tag)
);

create table if not exists tag_stats (
  tag varchar(64) primary key,
  usage_count integer not null default 0,
  last_used_at timestamptz
);

create table if not exists capabilities (
  capability_id serial primary key,
  skill_id integer not null references skills (skill_id) on delete cascade,
  name varchar(128) not null,
  description text,
  test_criteria text,
  sort_order integer not null default 0,
  unique (skill_id, name)
);

create table if not exists skill_dependencies (
  dependency_id serial primary key,
  dependent_id integer not null references skills (skill_id) on delete cascade,
  dependency_skill_id integer not null references skills (skill_id) on delete cascade,
  dependency_type dependency_type_enum not null default 'required',
  justification text,
  unique (dependent_id, dependency_skill_id),
  check (dependent_id <> dependency_skill_id)
);

create table if not exists dependency_closure (
  ancestor_id integer not null references skills (skill_id) on delete cascade,
  descendant_id integer not null references skills (skill_id) on delete cascade,
  min_depth integer not null,
  dependency_types text[] not null default '{}',
  primary key (ancestor_id, descendant_id)
);

create table if not exists skill_references (
  source_skill_id integer not null references skills (skill_id) on delete cascade,
  target_skill_id integer not null references skills (skill_id) on delete cascade,
  reference_type varchar(32) not null default 'see_also',
  primary key (source_skill_id, target_skill_id)
);

create table if not exists skill_files (
  file_id serial primary key,
  skill_id integer not null references skills (skill_id) on delete cascade,
  file_type file_type_enum not null,
  relative_path varchar(512) not null,
  filename varchar(512) not null,
  content text,
  binary_data bytea,
  file_size_bytes integer,
  checksum varchar(64),
  description text,
  sort_order integer not null default 0,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (skill_id, relative_path)
);

create table if not exists skill_allowed_tools (
  skill_id integer not null references skills (skill_id) on delete cascade,
  tool_name varchar(64) not null,
  required boolean not null default false,
  description text,
  primary key (skill_id, tool_name)
);

create table if not exists skill_aliases (
  alias_id serial primary key,
  skill_id integer not null references skills (skill_id) on delete cascade,
  alias_path varchar(512) not null,
  reason text,
  unique (skill_id, alias_path)
);

create table if not exists facet_definitions (
  facet_key varchar(64) primary key,
  allowed_values text[],
  description text
);

create table if not exists skill_facets (
  skill_id integer not null references skills (skill_id) on delete cascade,
  facet_key varchar(64) not null,
  facet_value varchar(256) not null,
  primary key (skill_id, facet_key, facet_value)
);

-- The reverse of each key above: who uses a category, a keyword, a tag, a dependency, an alias.
create index if not exists skill_categories_category_idx on skill_categories (category_id);
create index if not exists skill_keywords_keyword_idx on skill_keywords (keyword);
create index if not exists skill_tags_tag_idx on skill_tags (tag);
create index if not exists skill_dependencies_dependency_idx on skill_dependencies (dependency_skill_id);
create index if not exists skill_references_target_idx on skill_references (target_skill_id);
create index if not exists skill_aliases_path_idx on skill_aliases (alias_path);
create index if not exists taxonomy_closure_descendant_idx on taxonomy_closure (descendant_id);
create index if not exists taxonomy_categories_parent_idx on taxonomy_categories (parent_id);
