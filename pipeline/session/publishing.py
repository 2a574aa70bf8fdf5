"""Put all outputs of a file into the output folder, and replace no file of the user's."""

from __future__ import annotations

import contextlib
import errno
import glob
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from pipeline.session.own_files import (
    OutputRecord,
    OwnFiles,
    Writer,
    content_of,
    earlier_name,
    read_record,
    stem_of,
)
from pipeline.session.whole_files import partial_file

NOT_OURS: Final = (
    "not written by Matteline, or edited since: move it away, or choose another --output"
)


def publish(files: Mapping[Path, Callable[[Path], None]], *, record: Path) -> None:
    """Write the outputs of a photo or recording, then their record; replace an earlier run's.

    `files` has a function for each place, the record's last: it writes the file to the path that it
    gets. No file gets its final name before all are written. An earlier record is renamed while
    there are output files that only it describes. Raises OSError, also for a place that has a file
    that Matteline did not write.
    """
    with contextlib.ExitStack() as stack:
        written = {}
        for place, write in files.items():
            written[place] = stack.enter_context(partial_file(place))
            write(written[place])
        earlier = _earlier_records(record)
        _require_own(written, OwnFiles.of(earlier))
        _keep_useful(earlier, record, without=written)
        for place, partial in written.items():
            partial.replace(place)


def _earlier_records(record: Path) -> dict[Path, OutputRecord]:
    """Read the records under the same name: the latest one, and those of earlier outputs."""
    pattern = f"{glob.escape(record.name.removesuffix('.json'))}*.json"
    found = {path: read_record(path) for path in record.parent.glob(pattern)}
    return {
        path: earlier
        for path, earlier in found.items()
        if earlier and stem_of(path) == stem_of(record)
    }


def _require_own(written: Mapping[Path, Path], own: OwnFiles) -> None:
    """Raise FileExistsError for a place with a file of the user's that has other bytes.

    Raises any OSError for a place that can have no file, such as one with too long a name.
    """
    for place, partial in written.items():
        try:
            place.lstat()
        except FileNotFoundError:
            continue
        ours = place.is_file() and own.writer(place) is Writer.MATTELINE
        if not ours and not (place.is_file() and content_of(place) == content_of(partial)):
            raise FileExistsError(errno.EEXIST, NOT_OURS, str(place))


def _keep_useful(
    earlier: Mapping[Path, OutputRecord], record: Path, *, without: Mapping[Path, Path]
) -> None:
    """Rename or delete earlier records: each is kept as long as one of its outputs is there."""
    stem = stem_of(record) or ""
    for path, old in earlier.items():
        places = old.places(record.parent, stem).keys() - without.keys()
        useful = any(place.exists() for place in places)
        if useful and path == record:
            path.replace(record.with_name(earlier_name(stem, old)))
        elif not useful and path != record:
            path.unlink()
