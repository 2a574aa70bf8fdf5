"""Define ForgetPhoto's input and result, as plain JSON values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ForgetPhoto:
    """The key of a photo in the ingest bucket of which a version was deleted."""

    key: str
    execution: str


@dataclass(frozen=True)
class PhotoForgotten:
    """A receipt: how many jobs had the deleted photo, and how many of their files were deleted.

    `files` counts versions in the output bucket. While jobs are `running`, nothing is deleted.
    """

    jobs: int = 0
    running: int = 0
    files: int = 0
    work_files: int = 0
