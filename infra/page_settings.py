"""Read the settings of the page from CDK context (`matteline:page`, `matteline:page_…`)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Final, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, model_validator

from infra.settings import ApiSettings, Host, Origin, listed, read_settings

_PAGE: Final = "matteline:page_"
# CloudFront takes both from this region only, whatever the stage's.
_CERTIFICATE: Final = re.compile(r"arn:aws[a-z-]*:acm:us-east-1:\d{12}:certificate/\S+")
_WEB_ACL: Final = re.compile(r"arn:aws[a-z-]*:wafv2:us-east-1:\d{12}:global/webacl/\S+")


def _global_certificate(arn: str) -> str:
    if not _CERTIFICATE.fullmatch(arn):
        raise ValueError(f"page_certificate must be in us-east-1, where CloudFront looks: {arn}")
    return arn


def _global_web_acl(arn: str) -> str:
    if not _WEB_ACL.fullmatch(arn):
        raise ValueError(f"page_web_acl must be one for CloudFront, in us-east-1: {arn}")
    return arn


class PageSettings(BaseModel):
    """The `matteline:page_<field>` values of the context: where the page is, and who signs in.

    `api` is how the API's callers are authorised. `domain` is a name of your own, with a
    `certificate` of ACM in us-east-1. `web_acl` is the ARN of a web ACL of AWS WAF for CloudFront.
    `client_id` is the page's own at the issuer, a public client without a secret, which asks for
    `scopes`. `token_origin` has the issuer's token endpoint, if that is not the issuer's origin.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    api: ApiSettings
    domain: Host | None = None
    certificate: Annotated[str, AfterValidator(_global_certificate)] | None = None
    web_acl: Annotated[str, AfterValidator(_global_web_acl)] | None = None
    client_id: str | None = None
    scopes: Annotated[tuple[str, ...], BeforeValidator(listed)] = ()
    token_origin: Origin | None = None

    @model_validator(mode="after")
    def _is_for_users_of_browsers(self) -> Self:
        if self.api.authorizer == "iam":
            raise ValueError(
                "page needs api_authorizer jwt or keys: users of a browser have no credentials of "
                "IAM to sign with"
            )
        if (self.api.authorizer == "jwt") != (self.client_id is not None):
            raise ValueError("page_client_id belongs to api_authorizer jwt, which needs it")
        if self.client_id is None and (self.scopes or self.token_origin):
            raise ValueError("page_scopes and page_token_origin need api_authorizer jwt")
        return self

    @model_validator(mode="after")
    def _has_a_certificate_for_its_domain(self) -> Self:
        if (self.domain is None) != (self.certificate is None):
            raise ValueError("page_domain and page_certificate must be set together")
        return self

    @classmethod
    def from_context(cls, read: Callable[[str], object], api: ApiSettings) -> Self | None:
        """Read settings from a context lookup; return None if the stage has no page.

        Raises ValueError for an invalid value.
        """
        fields = [name for name in cls.model_fields if name != "api"]
        on = str(read("matteline:page") or "false").lower()
        if on not in {"true", "false"}:
            raise ValueError(f"matteline:page is true or false, not {on!r}")
        if on == "false":
            if given := [name for name in fields if read(f"{_PAGE}{name}")]:
                raise ValueError(f"page_{given[0]} needs matteline:page=true")
            return None
        return cls.model_validate({"api": api, **read_settings(fields, _PAGE, read)})

    @property
    def origin(self) -> str | None:
        """Return the page's origin, if it is known before the page is deployed."""
        return f"https://{self.domain}" if self.domain else None

    def sign_in_origins(self) -> tuple[str, ...]:
        """Return the origin at which the page exchanges its code for tokens."""
        if self.api.jwt_issuer is None:
            return ()
        issuer = urlsplit(self.api.jwt_issuer)
        return (self.token_origin or f"{issuer.scheme}://{issuer.netloc}",)

    def sign_in(self) -> dict[str, object]:
        """Return how users sign in, for the operator who publishes the page."""
        if self.api.jwt_issuer is None:
            return {"kind": "key"}
        return {
            "kind": "tokens",
            "issuer": self.api.jwt_issuer,
            "client_id": self.client_id,
            "scope": " ".join(dict.fromkeys(("openid", *self.scopes))),
            "token_origin": self.sign_in_origins()[0],
        }
