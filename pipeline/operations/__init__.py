"""What an operator does with jobs, on the local cloud and on AWS alike, through the public API.

- `site`        which deployment, and how it is reached
- `jobs_table`  one row per job;  `executions` what Step Functions tells;  `history` in words
- `lookup`      a job by whatever a person has at hand
- `replaying`   the recorded input, started again (`starting`: once)
- `published`   what the output and quarantine buckets hold about a job
- `redriving`   a red execution, resumed where it failed
- `accepted`, `verdicts`, `auditing`   every object against the table and the executions
- `backfilling`, `backfill_results`   photos that were there before
- `findings`, `repairing`   what is wrong, and what can be mended without a person
"""
