-- What each run did, in so much detail that it can be looked at and taken back; and contents that are given up.

alter table sync_runs
  add column git_commit varchar(64),
  add column git_branch text,
  add column undoes bigint;
alter table sync_runs drop constraint sync_runs_direction_check;
alter table sync_runs add constraint sync_runs_direction_check
  check (direction in ('export', 'import', 'sync', 'restore', 'undo'));

-- Digests are null where nothing stood. Runs of before noted none of it.
alter table sync_log
  add column former_path varchar(512),
  add column before_digest varchar(64),
  add column after_digest varchar(64),
  add column base_digest varchar(64),
  add column before_revision bigint,
  add column revision bigint,
  add column is_detailed boolean not null default false;
comment on column sync_log.former_path is 'where the skill stood before, if elsewhere';
comment on column sync_log.base_digest is 'what both sides had last agreed on before the run';
comment on column sync_log.before_revision is 'the revision that the row had';
comment on column sync_log.revision is 'the revision that the row got, or under which overwritten files are kept';

create index sync_log_skill_idx on sync_log (skill_id);

alter table skill_revisions add column pruned_at timestamptz;
comment on column skill_revisions.pruned_at is 'when its contents were given up; the digest stays';
