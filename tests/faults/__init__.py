"""Every state of every machine that touches a photo, broken in every way; then the accounts.

- `plan`       which case breaks what: derived from the state machines, so a new state is covered
- `kinds`      the ways a call goes wrong
- `injector`   knows which state of which execution a call comes from, and breaks it
- `dying`      handlers whose process is killed in the middle of their work
- `storm`      a running cloud under faults: drops photos, waits for calm
- `accounts`   what became of every photo, and whether buckets and table say the same
"""
