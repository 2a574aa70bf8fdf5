"""The platform on AWS: small stacks by lifetime, all of them derived from what the repo declares.

In reading order:

- `settings`    what a deployment chooses: stage, default model, licences it accepts
- `registry_stack`   where images are kept: one for an account and region
- `storage_stack`, `private_bucket`   what outlives every release
- `access_stack`, `grants`   a role and a log group for each function, from what is declared
- `release`     three parameters, and what follows from them
- `function_stack`, `container_function`, `canary`   what a release changes
- `release_stack`   how containers get live
- `build_project`, `deploy_role`, `release_permissions`   who builds, and who may move what is live
- `functions`, `operation`, `operation_grants`, `operation_code`   the platform's own functions
- `release_news`, `image_care`   who hears of releases, and what becomes of live images
- `pipeline_stack`, `state_machine`, `trigger`   the machines, and the events that start them
- `task_permissions`, `asl`   what a machine's role may do, from what its states call
- `observability_stack`, `dashboard`, `queries`   what tells people how it goes
- `alarms`, `machine_alarms`, `resource_alarms`, `metrics`   what wakes them, and by which figures
- `l1`          what a construct is made of
- `app`         which stacks there are, and in which order they may be deployed
"""
