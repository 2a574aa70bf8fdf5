"""Change the memory of a model's row in the file that has it; nothing else of the file changes."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pipeline.errors import InvalidOptions
from pipeline.session.whole_files import whole_file

_ROW: Final = re.compile(r"^\[\[models\]\][^\n]*$", re.MULTILINE)
_MEMORY: Final = re.compile(r"^(memory_mb\s*=\s*)[\d_]+", re.MULTILINE)


def line_of(memory_mb: int) -> str:
    """Return the line of a row."""
    return f"memory_mb = {memory_mb}"


def write_memory(files: Sequence[Path], model: str, memory_mb: int) -> Path:
    """Write the memory into the model's row, in the first of the files that has it; return it.

    Raises InvalidOptions if no file has the row, or if its memory is not on a line of its own.
    """
    for path in files:
        text = path.read_text(encoding="utf-8")
        rows = tomllib.loads(text).get("models", [])
        names = [row.get("name") for row in rows]
        if model not in names:
            continue
        starts = [match.start() for match in _ROW.finditer(text)]
        begin = starts[names.index(model)]
        end = next((start for start in starts if start > begin), len(text))
        row, changed = _MEMORY.subn(rf"\g<1>{memory_mb}", text[begin:end], count=1)
        written = text[:begin] + row + text[end:]
        expected = [
            each | {"memory_mb": memory_mb} if each.get("name") == model else each for each in rows
        ]
        if not changed or tomllib.loads(written)["models"] != expected:
            raise InvalidOptions(f"{path}: write `{line_of(memory_mb)}` for {model} by hand")
        with whole_file(path) as partial:
            partial.write_text(written, encoding="utf-8")
        return path
    raise InvalidOptions(f"no catalogue file has a row {model}")
