-- Skills that go to another path, as the log of a run names them.

alter table sync_log drop constraint sync_log_operation_check;
alter table sync_log add constraint sync_log_operation_check
  check (operation in ('create', 'update', 'rename', 'remove'));
