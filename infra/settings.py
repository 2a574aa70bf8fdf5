"""Read a deployment's settings from CDK context (`cdk synth -c matteline:stage=prod`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, StringConstraints, field_validator, model_validator

from pipeline.declared.declaration import KebabName

_PREFIX = "matteline:"


class Settings(BaseModel):
    """The `matteline:<field>` values of the context; other context keys are ignored.

    `default_models` are model names, each the default of the container it belongs to; a container
    without one uses the default that its `models.toml` declares.
    `source_connection` is the ARN of an approved CodeConnections connection to `source_repository`
    (`owner/name`). CodeBuild builds its tags and checks its branches. Without both, builds take a
    zip.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: Annotated[KebabName, StringConstraints(max_length=12)]
    default_models: tuple[KebabName, ...] = ()
    accepted_licences: tuple[str, ...] = ()
    scanning: Literal["basic", "enhanced"] = "basic"
    alarm_email: str | None = None
    source_connection: str | None = None
    source_repository: Annotated[str, StringConstraints(pattern=r"^[\w.-]+/[\w.-]+$")] | None = None

    @field_validator("default_models", "accepted_licences", mode="before")
    @classmethod
    def _listed(cls, given: object) -> object:
        """Split the text of `-c` at its spaces; keep a list from the file."""
        return given.split() if isinstance(given, str) else given

    @model_validator(mode="after")
    def _is_connected_to_something(self) -> Self:
        if (self.source_connection is None) != (self.source_repository is None):
            raise ValueError("source_connection and source_repository must be set together")
        return self

    @classmethod
    def from_context(cls, read: Callable[[str], object]) -> Self:
        """Read settings from a context lookup such as `app.node.try_get_context`.

        Raises ValueError for an invalid value, or for a setting that has another name now.
        """
        if read(f"{_PREFIX}default_model"):
            raise ValueError("set default_models, a list, instead of default_model")
        given = {name: read(f"{_PREFIX}{name}") for name in cls.model_fields}
        return cls.model_validate({name: value for name, value in given.items() if value})
