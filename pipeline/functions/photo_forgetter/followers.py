"""Read which products follow their source, and where their files are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.contracts.output_keys import output_stem
from pipeline.functions.declared import ROOT, products


@dataclass(frozen=True)
class Follower:
    """A product whose files are deleted with their source.

    `record` and `files` are the ends of its keys in the output bucket. The files that its tasks
    write for each other are in `work_folder`, in one folder for each job.
    """

    name: str
    record: str
    files: tuple[str, ...]
    work_folder: str = ""

    def record_key(self, source: str) -> str:
        """Return the key of the output record of a source."""
        return f"{output_stem(source)}{self.record}"

    def file_keys(self, source: str) -> list[str]:
        """Return every key that a file of a source may have, without that of the record."""
        return [f"{output_stem(source)}{suffix}" for suffix in self.files]

    def work_prefix(self, job_id: str) -> str:
        return f"{self.work_folder}{job_id}/"


def read_followers(root: Path = ROOT) -> list[Follower]:
    """Return the products that say so in `state_machines/*.product.toml`."""
    return [
        Follower(
            name=product["name"],
            record=product["record"],
            files=tuple(product["follows_source"]),
            work_folder=f"{product['name']}/" if "work_days" in product else "",
        )
        for product in products(root)
        if product.get("follows_source")
    ]
