"""A registered webhook: the row of an address in the table `webhooks`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pipeline.outcomes import ENDS

EVENTS: Final = tuple(f"job.{end}" for end in ENDS.values())
MOST: Final = 50  # of a deployment: one state of `notify-webhooks` reads them all

Item = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Webhook:
    """An address, and which messages it gets: of `events`, for keys that begin with `prefix`.

    `disabled` says why it gets none; it is empty if it gets them.
    """

    webhook_id: str
    url: str
    events: tuple[str, ...]
    created_at: str
    prefix: str = ""
    disabled: str = ""

    @classmethod
    def read(cls, item: Item) -> Webhook:
        """Read a row as DynamoDB returns it."""
        plain = {name: next(iter(value.values())) for name, value in item.items()}
        known = {name: plain[name] for name in cls.__dataclass_fields__.keys() & plain.keys()}
        return cls(**{**known, "events": tuple(sorted(plain["events"]))})

    @property
    def item(self) -> dict[str, dict[str, Any]]:
        """Return the row as DynamoDB takes it."""
        texts = {name: {"S": text} for name, text in vars(self).items() if name != "events"}
        return {**texts, "events": {"SS": list(self.events)}}

    def wants(self, event: str, key: str) -> bool:
        return not self.disabled and event in self.events and key.startswith(self.prefix)
