"""Read a deployment's settings from CDK context (`cdk synth -c matteline:stage=prod`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Final, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from pipeline.compute import BatchMachines
from pipeline.declared.blueprint import BACKFILL_CONCURRENCY
from pipeline.declared.declaration import KebabName
from pipeline.declared.products import read_prefixes

_PREFIX: Final = "matteline:"
_API: Final = "matteline:api_"
# Days for which CloudWatch keeps logs.
_MONTHS: Final = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545)
_PERIODS: Final = (*_MONTHS, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)

_RENAMED: Final = {"default_model": "default_models", "api_snap_start": "snap_start"}

M = TypeVar("M", bound=BaseModel)


def listed(given: object) -> object:
    """Split the text of `-c` at its spaces; keep a list from the file."""
    return given.split() if isinstance(given, str) else given


def _prefixes(given: object) -> object:
    """Read the text of `-c`, such as `faces=people/ faces=teams/`; keep a table from the file."""
    return read_prefixes(given.split()) if isinstance(given, str) else given


def _kept(days: int) -> int:
    if days not in _PERIODS:
        raise ValueError(f"CloudWatch keeps logs for {', '.join(map(str, _PERIODS))} days")
    return days


Host = Annotated[str, StringConstraints(pattern=r"^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$")]
Origin = Annotated[str, StringConstraints(pattern=r"^https://[a-z0-9.-]+(:\d{1,5})?$")]
Https = Annotated[str, StringConstraints(pattern=r"^https://\S+$")]
Folder = Annotated[str, StringConstraints(pattern=r"^https://\S*[^\s/]$")]
UniqueId = Annotated[str, StringConstraints(pattern=r"^(AIDA[A-Z0-9]+|AROA[A-Z0-9]+(:\S+)?)$")]
Principal = Annotated[
    str, StringConstraints(pattern=r"^arn:aws[a-z-]*:iam::\d{12}:(role|user)/[\w+=,.@/-]+$")
]
Subnet = Annotated[str, StringConstraints(pattern=r"^subnet-[0-9a-f]+$")]
Certificate = Annotated[
    str, StringConstraints(pattern=r"^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate/\S+$")
]


class Settings(BaseModel):
    """The `matteline:<field>` values of the context; other context keys are ignored.

    `default_models` are model names, each the default of the container it belongs to; a container
    without one uses the default that its `models.toml` declares. `on_request` has the prefixes of
    the keys whose uploads start a product on request, by the product's name.
    `collection_readers` are ARNs of IAM roles and users who may decrypt objects of the collections
    bucket, to download exports; their own policies say which.
    `backfill_concurrency` is how many objects a backfill runs at a time whose input does not say.
    `batch` is what the stage has of AWS Batch, with at most `batch_max_vcpus` at once of each kind
    of machines: in a network of their own, or in the subnets `batch_subnets` of `batch_vpc`.
    `source_connection` is the ARN of an approved CodeConnections connection to `source_repository`
    (`owner/name`). CodeBuild builds its tags and checks its branches. Without both, builds take a
    zip. `snap_start` are the containers whose functions start from a snapshot.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: Annotated[KebabName, StringConstraints(max_length=12)]
    default_models: Annotated[tuple[KebabName, ...], BeforeValidator(listed)] = ()
    accepted_licences: Annotated[tuple[str, ...], BeforeValidator(listed)] = ()
    on_request: Annotated[Mapping[KebabName, tuple[str, ...]], BeforeValidator(_prefixes)] = Field(
        default_factory=dict
    )
    collection_readers: Annotated[tuple[Principal, ...], BeforeValidator(listed)] = ()
    snap_start: Annotated[tuple[KebabName, ...], BeforeValidator(listed)] = ()
    scanning: Literal["basic", "enhanced"] = "basic"
    alarm_email: str | None = None
    backfill_concurrency: Annotated[int, Field(ge=1, le=10_000)] = BACKFILL_CONCURRENCY
    batch: BatchMachines = "off"
    batch_max_vcpus: Annotated[int, Field(ge=4, le=10_000)] = 32
    batch_vpc: Annotated[str, StringConstraints(pattern=r"^vpc-[0-9a-f]+$")] | None = None
    batch_subnets: Annotated[tuple[Subnet, ...], BeforeValidator(listed)] = ()
    source_connection: str | None = None
    source_repository: Annotated[str, StringConstraints(pattern=r"^[\w.-]+/[\w.-]+$")] | None = None

    @model_validator(mode="after")
    def _is_connected_to_something(self) -> Self:
        if (self.source_connection is None) != (self.source_repository is None):
            raise ValueError("source_connection and source_repository must be set together")
        return self

    @model_validator(mode="after")
    def _has_a_whole_network_for_its_machines(self) -> Self:
        if (self.batch_vpc is None) != (not self.batch_subnets):
            raise ValueError("batch_vpc and batch_subnets must be set together")
        return self

    @classmethod
    def from_context(cls, read: Callable[[str], object]) -> Self:
        """Read settings from a context lookup such as `app.node.try_get_context`.

        Raises ValueError for an invalid value, or for a setting that has another name now.
        """
        for former, present in _RENAMED.items():
            if read(f"{_PREFIX}{former}"):
                raise ValueError(f"set {present}, a list, instead of {former}")
        return _read(cls, _PREFIX, read)


class ApiSettings(BaseModel):
    """The `matteline:api_<field>` values of the context: how callers reach the HTTP API.

    `jwt_issuer` and `jwt_audience` belong to the authoriser `jwt`. `page_origin` is the one origin
    whose pages may call the API and send forms. `rate` is in requests a second, of all callers
    together; `burst` is how many may come at once. `domain` is a name of your own, with a
    `certificate` of ACM in the same region. `docs` is the address of the folder of documents, to
    which problems refer. `operators` are the unique IDs of users and roles of IAM, or of a role
    with a session, that may see everybody's jobs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    authorizer: Literal["iam", "jwt", "keys"] = "iam"
    jwt_issuer: Https | None = None
    jwt_audience: Annotated[tuple[str, ...], BeforeValidator(listed)] = ()
    page_origin: Origin | None = None
    rate: Annotated[int, Field(ge=1)] = 50
    burst: Annotated[int, Field(ge=1)] = 100
    log_days: Annotated[int, AfterValidator(_kept)] = 90
    domain: Host | None = None
    certificate: Certificate | None = None
    docs: Folder | None = None
    operators: Annotated[tuple[UniqueId, ...], BeforeValidator(listed)] = ()

    @model_validator(mode="after")
    def _names_an_issuer_for_its_tokens_only(self) -> Self:
        if self.authorizer == "jwt":
            if not (self.jwt_issuer and self.jwt_audience):
                raise ValueError("api_authorizer jwt needs api_jwt_issuer and api_jwt_audience")
        elif self.jwt_issuer or self.jwt_audience:
            raise ValueError("api_jwt_issuer and api_jwt_audience need api_authorizer jwt")
        return self

    @model_validator(mode="after")
    def _has_a_certificate_for_its_domain(self) -> Self:
        if (self.domain is None) != (self.certificate is None):
            raise ValueError("api_domain and api_certificate must be set together")
        return self

    @classmethod
    def from_context(cls, read: Callable[[str], object]) -> Self:
        """Read settings from a context lookup. Raises ValueError for an invalid value."""
        return _read(cls, _API, read)


def read_settings(
    names: Iterable[str], prefix: str, read: Callable[[str], object]
) -> dict[str, object]:
    """Read the settings that are set; an empty one, as `-c` can give it, is not."""
    given = {name: read(f"{prefix}{name}") for name in names}
    return {name: value for name, value in given.items() if value not in (None, "", [])}


def _read(kind: type[M], prefix: str, read: Callable[[str], object]) -> M:
    return kind.model_validate(read_settings(kind.model_fields, prefix, read))
