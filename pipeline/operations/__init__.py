"""What an operator does, through the public API, on the local cloud as on AWS.

Only AWS has Redrive and runs backfills.

- `site`        which deployment, and how it is reached
- `jobs_table`  one row per job;  `executions` what Step Functions tells;  `history` in words
- `lookup`      a job by whatever a person has at hand
- `replaying`   the recorded input, started again (`starting`: once, while it runs)
- `published`   what the output and quarantine buckets hold about a job
- `redriving`   a red execution, resumed where it failed
- `accepted`, `verdicts`, `auditing`   every object against the table and the executions
- `backfilling`, `key_lists`, `backfill_results`   photos that were there before
- `releasing`   a container's release or rollback, started and followed
- `findings`, `repairing`   what is wrong, and what can be mended without a person
"""
