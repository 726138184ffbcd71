-- Why each change of a run was made: `edited`, `newer`, `merged` of both sides, and so on. Null in older records.

alter table sync_log add column why text;
comment on column sync_log.why is 'why the run made the change, as its plan named it';
