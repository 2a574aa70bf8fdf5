"""What every container shares, and the local cloud that runs them all on a laptop.

In reading order:

- `errors`      what can go wrong, named as the state machines name it
- `artifacts`   bytes with an address and a checksum, and where they live
- `contracts`   one frozen (job, result) pair per task
- `manifest`    containers, models and resources, as their TOML files declare them
- `naming`      which key an output is published under
- `photo`, `colour`, `png`   untrusted bytes to pixels, and pixels to bytes
- `s3`, `source`, `weights`   the adapters a task reads and writes through
- `workbench`   what a task works with
- `task`        what turns a plain function into a Lambda handler
- `local`, `cli`   the local cloud and the `matteline` command
"""
