"""`matteline` and `python -m pipeline`: leave the person's own AWS settings outside, then start."""

from __future__ import annotations

import os


def main() -> None:
    """Run the command line in an environment of its own."""
    isolate(os.environ)
    # Imported late: botocore reads its settings as soon as moto is imported.
    from pipeline.cli import main as run  # noqa: PLC0415

    run()


def isolate(environment: os._Environ[str]) -> None:
    """Forget AWS profiles, endpoints and credentials, and reach this machine without a proxy.

    The local cloud brings its own; a profile of the person's would send its calls elsewhere.
    """
    for name in [name for name in environment if name.startswith("AWS_")]:
        del environment[name]
    environment["AWS_CONFIG_FILE"] = environment["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    for name in ("NO_PROXY", "no_proxy"):
        environment[name] = ",".join(filter(None, [environment.get(name), "127.0.0.1,localhost"]))


if __name__ == "__main__":
    main()
