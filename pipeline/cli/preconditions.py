"""Check what a command needs before it starts a local cloud."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

_LEAST_SCRATCH_BYTES: Final = 2**20  # without it not even the first file can be stored


def require_media(paths: Sequence[Path]) -> None:
    """Raise UsageError for a path that is neither a file nor a folder."""
    odd = [str(path) for path in paths if not (path.is_file() or path.is_dir())]
    if odd:
        raise click.UsageError(f"neither a file nor a folder: {', '.join(odd)}")


def require_writable(output: Path) -> None:
    """Create the output folder. Raises UsageError if it cannot be written."""
    try:
        output.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=output).close()
    except FileExistsError:
        raise click.UsageError(f"cannot write to {output}: it is not a folder") from None
    except OSError as error:
        raise click.UsageError(f"cannot write to {output}: {error.strerror}") from None


def require_scratch() -> None:
    """Raise ClickException if there is no room for the local cloud's temporary files."""
    try:
        with tempfile.TemporaryFile() as file:
            file.write(bytes(_LEAST_SCRATCH_BYTES))
    except OSError as error:
        reason = f"no room for temporary files ({error.strerror})"
        raise click.ClickException(f"{reason}: set TMPDIR to a folder with more space") from None


def require_free(port: int) -> None:
    """Raise UsageError if another process listens on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise click.UsageError(
                f"port {port}: {error.strerror}; choose another --port"
            ) from None
