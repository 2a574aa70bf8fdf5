"""Who calls, as API Gateway's authoriser names them, and which keys are theirs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Final

from containers.http_api.errors import NoPrincipal
from pipeline.api_keys import OPERATOR_SCOPE
from pipeline.operations.owning import prefix_of

# The last one has the groups of a user of Amazon Cognito, which only its administrators change.
_SCOPE_CLAIMS: Final = ("scope", "scp", "cognito:groups")


@dataclass(frozen=True)
class Principal:
    """A caller. Everything of theirs in a bucket is below `prefix`, which ends in a slash.

    The prefix is a digest: it does not show who they are, and nobody can choose another's.
    An operator may see what belongs to others.
    """

    prefix: str
    operator: bool = False

    @property
    def name(self) -> str:
        """Return who they are, without the slash: as `GET /quotas` says it, and as audits do."""
        return self.prefix.rstrip("/")

    @property
    def visible(self) -> str:
        """Return what the keys begin with that the caller may see; nothing for an operator."""
        return "" if self.operator else self.prefix

    def may_see(self, key: str) -> bool:
        return self.operator or key.startswith(self.prefix)


def identify(
    authorizer: Mapping[str, Any] | None, operators: AbstractSet[str] = frozenset()
) -> Principal:
    """Return the principal in an event's `requestContext.authorizer`.

    IAM names users and roles by their unique IDs, a JWT by issuer and subject, a Lambda authoriser
    by the text `principal` in its context. Scopes come from a JWT's claims `scope`, `scp` and
    `cognito:groups`, or from `scopes` in that context. IAM has no scopes: there, `operators` are
    the unique IDs of users, of roles, or of a role with a session (`AROA…:name`). Raises
    NoPrincipal if none of them names anybody.
    """
    match authorizer:
        case {"iam": {"cognitoIdentity": {"identityId": str(identity)}}} if identity:
            # One role stands for all identities of a pool.
            return _principal("cognito", identity)
        case {"iam": {"userId": str(user), **more}} if user and not more.get("cognitoIdentity"):
            # The ID of a role comes before its session's name, which the session chooses itself.
            known = not operators.isdisjoint({user, user.partition(":")[0]})
            return _principal("iam", user, operator=known)
        case {"jwt": {"claims": {"iss": str(issuer), "sub": str(subject), **claims}}} if subject:
            scopes = [claims.get(name) for name in _SCOPE_CLAIMS]
            return _principal("jwt", issuer, subject, scopes=scopes)
        case {"lambda": {"principal": str(principal), **context}} if principal:
            return _principal("lambda", principal, scopes=[context.get("scopes")])
        case _:
            raise NoPrincipal("the request names no user")


def _principal(*identity: str, scopes: Iterable[object] = (), operator: bool = False) -> Principal:
    granted = {scope for each in scopes for scope in _listed(each)}
    return Principal(prefix_of(*identity), operator=operator or OPERATOR_SCOPE in granted)


def _listed(scopes: object) -> list[str]:
    """Return the scopes in `a b`, or in `[a b]`, as API Gateway writes a list."""
    if not isinstance(scopes, str):
        return []
    bracketed = scopes.startswith("[") and scopes.endswith("]")
    return (scopes[1:-1] if bracketed else scopes).split()
