"""Choose the proxy for a URL, and the hub that `hf://` addresses mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urlsplit

import urllib3
from urllib3.util import make_headers, parse_url

from pipeline.declared.addresses import hub_url

_HUB: Final = "https://huggingface.co"
_PROXIED: Final = ("http", "https", "no")


@dataclass(frozen=True)
class Proxies:
    """`proxies` maps http and https to a proxy's URL, and `no` to the hosts that need no proxy."""

    proxies: Mapping[str, str] = field(default_factory=dict)
    hub: str = _HUB

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Proxies:
        """Read HTTP_PROXY, HTTPS_PROXY, NO_PROXY (lower case first) and HF_ENDPOINT."""
        found = {
            kind: environment.get(f"{kind}_proxy") or environment.get(f"{kind}_proxy".upper())
            for kind in _PROXIED
        }
        proxies = {kind: value for kind, value in found.items() if value}
        return cls(proxies, environment.get("HF_ENDPOINT") or _HUB)

    def url(self, address: str) -> str:
        """Return the URL of an address: the hub's for `hf://`, else the address itself."""
        return hub_url(address, self.hub) if address.startswith("hf:") else address

    def proxy_for(self, url: str) -> str | None:
        """Return the proxy's URL for `url`, None for a direct connection."""
        proxy = self.proxies.get(urlsplit(url).scheme)
        if proxy is None or self._reached_directly(url):
            return None
        return proxy if "://" in proxy else f"http://{proxy}"

    def _reached_directly(self, url: str) -> bool:
        """Return True if `no` lists the host, a domain of it, or everything (`*`).

        `urllib.request.proxy_bypass_environment` lacks two forms: `*.example`, and `*` in a list,
        which NO_PROXY=* becomes when the command line adds 127.0.0.1.
        """
        parts = urlsplit(url)
        listed = {entry.strip().lower() for entry in self.proxies.get("no", "").split(",")} - {""}
        domains = tuple(f".{entry.lstrip('*.')}" for entry in listed)
        names = (f".{parts.hostname}", f".{parts.netloc.lower()}")
        return "*" in listed or any(name.endswith(domains) for name in names)


def open_pool(
    proxies: Proxies, url: str, *, timeout: urllib3.Timeout, retries: urllib3.Retry
) -> urllib3.PoolManager:
    """Open a connection pool for `url` and its redirects. A proxy may have `user:password@`."""
    proxy = proxies.proxy_for(url)
    if proxy is None:
        return urllib3.PoolManager(timeout=timeout, retries=retries)
    credentials = parse_url(proxy).auth
    headers = make_headers(proxy_basic_auth=unquote(credentials)) if credentials else None
    return urllib3.ProxyManager(proxy, proxy_headers=headers, timeout=timeout, retries=retries)
