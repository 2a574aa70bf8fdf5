"""The deployment that an operator works on: its names, its products, and how to reach it."""

from __future__ import annotations

import functools
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from pipeline.declared.names import LOCAL_STAGE, Names, stage_names
from pipeline.declared.products import Product

if TYPE_CHECKING:
    import boto3

_LOCK: Final = threading.Lock()
_BRIEFLY_INVOKED_S: Final = 15  # the API may have waited for a preparation, and has 29 in all
_INVOKED_S: Final = 300


@dataclass(frozen=True)
class Site:
    """One deployment. Its clients slow down where AWS throttles them.

    With `brief`, they give up within some 20 seconds, for a caller who waits for the answer.
    """

    names: Names
    session: boto3.Session = field(repr=False)
    products: tuple[Product, ...] = field(hash=False)
    endpoint_url: str | None = None
    brief: bool = False

    @property
    def local(self) -> bool:
        return self.names.stage == LOCAL_STAGE

    def client(self, service: str) -> Any:  # noqa: ANN401 - clients are made at run time
        with _LOCK:
            return _client(self, service)

    def machine_arn(self, machine: str) -> str:
        """Return the ARN of a state machine itself, which lists the executions of every alias."""
        return self.names.unqualified_machine_arn(machine)

    def product_of(self, execution_arn: str) -> Product | None:
        """Return the product of an execution; None if no product has its state machine."""
        machine = self.names.machine_of(execution_arn)
        return next((each for each in self.products if each.machine == machine), None)


@functools.cache
def _client(site: Site, service: str) -> Any:  # noqa: ANN401
    from botocore.config import Config

    config = Config(retries={"mode": "adaptive", "total_max_attempts": 8})
    if site.brief:
        config = Config(
            retries={"mode": "standard", "total_max_attempts": 3}, connect_timeout=2, read_timeout=5
        )
    if service == "lambda":
        # A caller waits for the function: it is told of a throttle at once, and asks again.
        config = Config(
            connect_timeout=2,
            read_timeout=_BRIEFLY_INVOKED_S if site.brief else _INVOKED_S,
            retries={"total_max_attempts": 1},
        )
    if service == "s3":
        # New buckets refuse older signatures of forms. By itself, boto3 signs for the host of
        # us-east-1, which redirects: a browser's upload would fail there.
        style: Literal["auto", "virtual"] = "auto" if site.local else "virtual"
        config = config.merge(Config(signature_version="s3v4", s3={"addressing_style": style}))
    return site.session.client(service, endpoint_url=site.endpoint_url, config=config)


def own_site(names: Names, products: tuple[Product, ...]) -> Site:
    """Return the deployment that this function belongs to, reached with its role and endpoint.

    Its callers wait for an answer, so its clients give up early.
    """
    import boto3

    return Site(names, boto3.Session(region_name=names.region), products, brief=True)


def local_site(names: Names, endpoint_url: str, products: tuple[Product, ...]) -> Site:
    """Return the site of a running local cloud, which accepts any credentials."""
    import boto3

    session = boto3.Session("matteline", "matteline", region_name=names.region)
    return Site(names, session, products, endpoint_url)


def aws_site(stage: str, products: tuple[Product, ...]) -> Site:
    """Return the site of a stage in the account and region of the operator's own AWS settings.

    Raises NoRegionError if they name no region; ClientError if AWS denies the credentials.
    """
    import boto3

    session = boto3.Session()
    account = session.client("sts").get_caller_identity()["Account"]
    region = str(session.region_name)
    partition = session.get_partition_for_region(region)
    names = stage_names(stage, account=account, region=region, partition=partition)
    return Site(names, session, products)
