"""What a deployment chooses, out of CDK's context (`cdk synth -c matteline:stage=prod`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, StringConstraints

from pipeline.declaration import KebabName

_PREFIX = "matteline:"


class Settings(BaseModel):
    """Every `matteline:<field>` of the context; unknown ones are nobody's business here."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: Annotated[KebabName, StringConstraints(max_length=12)]
    default_model: KebabName
    accepted_licences: tuple[str, ...] = ()
    scanning: Literal["basic", "enhanced"] = "basic"
    alarm_email: str | None = None

    @classmethod
    def from_context(cls, read: Callable[[str], object]) -> Self:
        """Settings from a context lookup such as `app.node.try_get_context`."""
        given = {name: read(f"{_PREFIX}{name}") for name in cls.model_fields}
        return cls.model_validate({name: value for name, value in given.items() if value})
