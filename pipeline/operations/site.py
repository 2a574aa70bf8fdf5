"""Which deployment an operator works on, and how it is reached."""

from __future__ import annotations

import functools
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pipeline.declared.names import LOCAL_STAGE, Names, stage_names

if TYPE_CHECKING:
    import boto3

_LOCK: Final = threading.Lock()


@dataclass(frozen=True)
class Site:
    """One deployment: its names and its services. Calls are paced where AWS throttles them."""

    names: Names
    session: boto3.Session = field(repr=False)
    endpoint_url: str | None = None

    @property
    def local(self) -> bool:
        return self.names.stage == LOCAL_STAGE

    def client(self, service: str) -> Any:  # noqa: ANN401 - clients are made at run time
        with _LOCK:
            return _client(self, service)

    @property
    def machine_arn(self) -> str:
        """The cutout machine itself, whatever its alias points at: it lists all executions."""
        return self.names.unqualified_machine_arn("cutout")


@functools.cache
def _client(site: Site, service: str) -> Any:  # noqa: ANN401
    from botocore.config import Config

    config = Config(retries={"mode": "adaptive", "total_max_attempts": 8})
    return site.session.client(service, endpoint_url=site.endpoint_url, config=config)


def local_site(names: Names, endpoint_url: str) -> Site:
    """A running local cloud; it takes any credentials."""
    import boto3

    session = boto3.Session("matteline", "matteline", region_name=names.region)
    return Site(names, session, endpoint_url)


def aws_site(stage: str) -> Site:
    """A stage deployed in the account and region of the person's own AWS settings.

    NoRegionError if those name no region; ClientError if the credentials are not accepted.
    """
    import boto3

    session = boto3.Session()
    account = session.client("sts").get_caller_identity()["Account"]
    region = str(session.region_name)
    partition = session.get_partition_for_region(region)
    return Site(stage_names(stage, account=account, region=region, partition=partition), session)
