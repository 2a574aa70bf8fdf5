"""What is wrong with a command, said before anything is started."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError

from pipeline.contracts.cutout import CutoutOptions


def option_metadata(chosen: dict[str, Any]) -> dict[str, str]:
    """The chosen options as object metadata, once they are known to be valid."""
    fields = {name: value for name, value in chosen.items() if value not in {None, False}}
    typed = fields | ({"outputs": fields["outputs"].split(",")} if "outputs" in fields else {})
    try:
        CutoutOptions.model_validate({"model": "unnamed", **typed})
    except ValidationError as error:
        wrong = error.errors()[0]
        raise click.UsageError(f"--{wrong['loc'][0]}: {wrong['msg']}") from error
    return {name: str(value).lower() for name, value in fields.items()}


def require_free(port: int) -> None:
    """Refuse a port that somebody else listens on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise click.UsageError(
                f"port {port}: {error.strerror}; choose another --port"
            ) from None


def require_writable(output: Path) -> None:
    """Make the output folder, or refuse it while nothing has been spent yet."""
    try:
        output.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=output).close()
    except OSError as error:
        raise click.UsageError(f"cannot write to {output}: {error.strerror}") from None


def require_photos(paths: Sequence[Path]) -> None:
    """Refuse what can be neither read as a photo nor searched for photos."""
    odd = [str(path) for path in paths if not (path.is_file() or path.is_dir())]
    if odd:
        raise click.UsageError(f"neither a file nor a folder: {', '.join(odd)}")
