"""A URL is reached through the proxy of its scheme, unless NO_PROXY lists its host."""

from __future__ import annotations

import pytest

from pipeline.weights.proxies import Proxies

PROXIES = {"http": "http://plain.example:3128", "https": "tls.example:3128"}


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("http://publisher.example/w", "http://plain.example:3128"),
        ("https://publisher.example/w", "http://tls.example:3128"),
        ("ftp://publisher.example/w", None),
    ],
)
def test_each_scheme_has_its_proxy(url: str, proxy: str | None) -> None:
    assert Proxies(PROXIES).proxy_for(url) == proxy


@pytest.mark.parametrize(
    ("listed", "direct"),
    [
        ("", False),
        (",, ,", False),
        ("*", True),
        ("*,127.0.0.1,localhost", True),
        ("hub.example", True),
        ("HUB.example", True),
        (" other.example , hub.example ", True),
        ("example", True),
        (".example", True),
        ("*.example", True),
        ("hub.example:8443", True),
        ("hub.example:443", False),
        ("b.example", False),
        ("cdn.hub.example", False),
    ],
)
def test_listed_hosts_and_domains_are_reached_directly(listed: str, *, direct: bool) -> None:
    proxies = Proxies({**PROXIES, "no": listed})

    assert (proxies.proxy_for("https://hub.example:8443/w") is None) == direct


def test_lower_case_overrides_upper_case() -> None:
    environment = {"https_proxy": "http://small:1", "HTTPS_PROXY": "http://capital:1"}

    assert Proxies.from_environment(environment).proxies == {"https": "http://small:1"}


def test_an_empty_variable_counts_as_unset() -> None:
    assert Proxies.from_environment({"HTTP_PROXY": "", "HF_ENDPOINT": ""}) == Proxies()
