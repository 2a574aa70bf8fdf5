"""The platform on AWS: small stacks by lifetime, all of them derived from what the repo declares.

In reading order:

- `settings`    what a deployment chooses: stage, default model, licences it accepts
- `registry_stack`   where images are kept: one for an account and region
- `storage_stack`, `private_bucket`   what outlives every release
- `access_stack`, `grants`   a role and a log group for each function, from what is declared
- `release`     three parameters, and what follows from them
- `function_stack`, `container_function`, `canary`   what a release changes
- `l1`          what a construct is made of
- `app`         which stacks there are, and in which order they may be deployed
"""
