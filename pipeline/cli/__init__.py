"""The `matteline` command: a module for each group of verbs.

- `command`     all of them, and how errors are told
- `photos`      demo, run, up;  `models`, `jobs`, `quarantine`, `backfill` the groups of these names
- `containers`  what they are;  `builds`, `releases` how they come to be, and live
- `options`, `site`, `tables`   what several of them take, work on and show
"""
