"""The platform on AWS: small stacks by lifetime, all of them derived from what the repo declares.

In reading order:

- `settings`    what a deployment chooses: stage, default model, licences it accepts
- `app`         which stacks there are, and in which order they may be deployed
"""
