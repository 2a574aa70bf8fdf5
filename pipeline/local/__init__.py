"""The whole platform in one process on 127.0.0.1: no account, no Docker, the same files.

- `cloud`        start it, stop it; what is running where
- `server`       moto behind one port, with a Lambda service of our own in front
- `moto_compat`  what moto needs to run these state machines as AWS does
- `moto_memory`  and to stay as small as it was: `stored_objects`, `stored_rows` and
  `ended_executions` are on disk, where `shelf` and `spill` keep them, in an `own_folder`
- `lambda_api`   the Invoke call;  `lambda_host` functions and their workers;  `worker` one process;
  `runtime_api` what the real runtime client in it talks to
- `s3_events`, `status_events`   events as AWS words them;  `event_bridge` from event to execution
- `deployment`   buckets, table, functions and machines out of the same files that CDK reads
- `executions`   drop photos, follow what happens to them
- `session`      a cloud for one person: a model that can be had (`availability`), weights kept
  (`kept`);  `stager` models through the stage-weights machine;  `own_model` a file as a row
- `batch`        photos in, pictures home;  `report`, `contact_sheet`, `manual` what people see;
  `preflight` what is wrong with a command;  `samples` photos to try things on
"""
