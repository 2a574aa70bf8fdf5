"""What every container shares, and the local cloud that runs them all on a laptop.

In reading order:

- `errors`      what can go wrong, named as the state machines name it
- `addresses`, `network`   how places on the web are written and reached
- `artifacts`   bytes with an address and a checksum, and where they live
- `prompts`     points and boxes that show a model its subjects
- `contracts`   one frozen (job, result) pair per task
- `specs`, `catalogue`   the models, as their TOML files declare them
- `declaration`, `access`, `manifest`   containers, what their roles may do, and resources, likewise
- `cpu`, `staged`   what is staged of a model, and for which machines
- `naming`      which key an output is published under
- `photo`, `colour`, `png`   untrusted bytes to pixels, and pixels to bytes
- `s3`, `bedrock`, `secrets`, `source`, `web`, `weights`   what a task reads and writes through
- `names`, `blueprint`   what a deployment is called, and everything it is made from
- `workbench`   what a task works with
- `task`        what turns a plain function into a Lambda handler
- `operations`  what an operator does with jobs, on the local cloud and on AWS
- `local`, `cli`   the local cloud and the `matteline` command
"""
