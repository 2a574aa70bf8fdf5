"""Authorise requests that have a key of the API, as API Gateway does with a Lambda authoriser."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pipeline.local.lambda_host import LambdaHost

_KEY: Final = "bearer mk_"
_OF_THE_INTEGRATION: Final = frozenset({"body", "isBase64Encoded"})


@dataclass(frozen=True)
class KeyAuthorizer:
    """The function that says whose a key is. It gets events of payload format 2.0."""

    host: LambdaHost
    function: str
    function_arn: str

    def takes(self, headers: Mapping[str, str]) -> bool:
        """Return True if a request has a key; all others are the local user's."""
        return headers.get("authorization", "").lower().startswith(_KEY)

    def authorize(self, event: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return what the function says of the user of an API's event; None if it denies it.

        Raises ValueError if the function fails, or answers with something else.
        """
        asked = json.dumps(_asked(event, self.function_arn)).encode()
        answer = self.host.invoke(self.function, asked, function_arn=self.function_arn)
        match None if answer.failed else json.loads(answer.payload):
            case {"isAuthorized": True, **more}:
                return {"lambda": more.get("context", {})}
            case {"isAuthorized": False}:
                return None
        raise ValueError(f"{self.function} does not say whether a request is authorised")


def _asked(event: Mapping[str, Any], function_arn: str) -> dict[str, Any]:
    """Return the event that the authoriser gets before the API's function gets its own."""
    about = {name: told for name, told in event["requestContext"].items() if name != "authorizer"}
    api = function_arn.partition(":function:")[0].replace(":lambda:", ":execute-api:")
    route = f"{about['apiId']}/{about['stage']}/{about['http']['method']}{event['rawPath']}"
    return {
        **{name: told for name, told in event.items() if name not in _OF_THE_INTEGRATION},
        "type": "REQUEST",
        "routeArn": f"{api}:{route}",
        "identitySource": [event["headers"]["authorization"]],
        "requestContext": about,
    }
