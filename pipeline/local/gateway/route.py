"""The function behind the API, and whom its requests come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

PRINCIPAL_HEADER: Final = "x-matteline-principal"
SCOPES_HEADER: Final = "x-matteline-scopes"  # separated by spaces


@dataclass(frozen=True)
class Route:
    """The function behind the API, and the local user."""

    function: str
    function_arn: str
    account: str
    access_key: str

    def authorizer(self, headers: Mapping[str, str]) -> dict[str, Any]:
        """Return what API Gateway says of the user: of the local one, authorised by IAM.

        A request may name another one, for tests with several: it is authorised as a Lambda
        authoriser would, with the scopes that it names.
        """
        if principal := headers.get(PRINCIPAL_HEADER):
            return {"lambda": {"principal": principal, "scopes": headers.get(SCOPES_HEADER, "")}}
        name = self.access_key
        return {
            "iam": {
                "accessKey": self.access_key,
                "accountId": self.account,
                "callerId": name,
                "cognitoIdentity": None,
                "principalOrgId": None,
                "userArn": f"arn:aws:iam::{self.account}:user/{name}",
                "userId": name,
            }
        }
