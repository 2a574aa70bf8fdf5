"""What every container shares, and the local cloud that runs them all on a laptop.

In reading order:

- `errors`      what can go wrong, named as the state machines name it
- `release_errors`   what stops a container's release
- `addresses`, `network`   how places on the web are written and reached
- `artifacts`   bytes with an address and a checksum, and where they live
- `prompts`     points and boxes that show a model its subjects
- `contracts`   one frozen (job, result) pair per task
- `specs`, `revisions`, `catalogue`   the models, as their TOML files declare them
- `declaration`, `access`, `manifest`   containers, what their roles may do, and resources, likewise
- `cpu`, `staged`   what is staged of a model, and for which machines
- `naming`      which key an output is published under
- `limits`, `memory`   how much a photo may be made of, and how much memory there is for it
- `parts`, `parts_jpeg`, `parts_png`, `parts_tiff`   a file's parts, before a decoder sees them
- `photo`, `decoding`, `completeness`, `colour`, `png`   untrusted bytes to pixels, and back
- `s3`, `bedrock`, `secrets`, `source`, `web`, `weights`   what a task reads and writes through
- `names`, `blueprint`   what a deployment is called, and everything it is made from
- `workbench`   what a task works with
- `task`        what turns a plain function into a Lambda handler
- `shipping`, `serving`, `selftest`   what a container's image holds, starts, and proves of itself
- `golden`      the job that a self-test and a smoke test give to a container, and its answer
- `content_lock`, `evidence`   which content a version stands for, and what vouches for an image
- `operations`  what an operator does with jobs, on the local cloud and on AWS
- `local`, `cli`   the local cloud and the `matteline` command
"""
