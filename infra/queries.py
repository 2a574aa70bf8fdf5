"""Create the saved CloudWatch Logs Insights queries of `queries.toml`."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Final, Literal

from aws_cdk import aws_logs as logs
from constructs import Construct
from pydantic import BaseModel, ConfigDict

from pipeline.declared.blueprint import Blueprint
from pipeline.declared.names import Names

# Zipped functions that handle an upload's job.
_HANDLE_JOBS: Final = ("photo-forgetter", "webhook-planner", "webhook-sender")
_FILE: Final = Path(__file__).parent / "queries.toml"


class Query(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    summary: str
    of: Literal["functions", "products", "api", "beside"]
    fields: tuple[str, ...]
    steps: tuple[str, ...]

    @property
    def text(self) -> str:
        return "\n| ".join([f"fields {', '.join(self.fields)}", *self.steps])


def read_queries() -> dict[str, Query]:
    read = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return {name: Query.model_validate(body) for name, body in read.items()}


class SavedQueries(Construct):
    def __init__(self, scope: Construct, *, blueprint: Blueprint, names: Names) -> None:
        super().__init__(scope, "Queries")
        jobs = sorted({each.manifest.name for each in blueprint.jobs})
        groups = {
            "beside": [
                *(names.job_log_group(container) for container in jobs),
                *(names.log_group(names.operation(name)) for name in _HANDLE_JOBS),
            ],
            "functions": [names.log_group(each.name(names)) for each in blueprint.functions],
            "api": [names.api_log_group()],
            "products": [names.machine_log_group(each.machine) for each in blueprint.products],
        }
        for name, query in read_queries().items():
            logs.CfnQueryDefinition(
                self,
                name,
                name=f"{names.prefix}/{name}",
                query_string=f"# {query.summary}\n{query.text}",
                log_group_names=groups[query.of],
            )
