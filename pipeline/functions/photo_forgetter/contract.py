"""Define ForgetPhoto's input and result, as plain JSON values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ForgetPhoto:
    """Photos of the ingest bucket, by their keys. One of the two is given.

    Of the photo at `key` a version was deleted. Of `photos`, a person in them was forgotten: what
    was made of them is deleted although they are there.
    """

    execution: str
    key: str = ""
    photos: tuple[str, ...] = ()
    trace_id: str = ""  # of the product's execution that asks; else that of `execution`

    def __post_init__(self) -> None:
        if bool(self.key) == bool(self.photos):
            raise ValueError("give a key or photos")


@dataclass(frozen=True)
class PhotoForgotten:
    """A receipt: how many jobs had the photos, and how many of their files were deleted.

    `files` counts versions in the output bucket. While jobs of a photo are `running`, nothing of it
    is deleted.
    """

    jobs: int = 0
    running: int = 0
    files: int = 0
    work_files: int = 0
