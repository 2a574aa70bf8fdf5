"""Start backfills, foresee what they take, and read their results."""
