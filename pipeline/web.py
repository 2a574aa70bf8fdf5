"""Connections to the web, through the proxy a network asks for."""

from __future__ import annotations

from urllib.parse import unquote

import urllib3
from urllib3.util import make_headers, parse_url

from pipeline.network import Network


def open_pool(
    network: Network, url: str, *, timeout: urllib3.Timeout, retries: urllib3.Retry
) -> urllib3.PoolManager:
    """What reaches `url`, redirects included. A proxy's URL may carry `user:password@`."""
    proxy = network.proxy_for(url)
    if proxy is None:
        return urllib3.PoolManager(timeout=timeout, retries=retries)
    credentials = parse_url(proxy).auth
    headers = make_headers(proxy_basic_auth=unquote(credentials)) if credentials else None
    return urllib3.ProxyManager(proxy, proxy_headers=headers, timeout=timeout, retries=retries)
