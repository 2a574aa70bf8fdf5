"""What the documents say of webhooks holds, and nothing on AWS sends to a private address."""

from __future__ import annotations

import contextlib
import os
import re
import runpy
import shutil
import socket
import subprocess
import time
from http.server import HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from pipeline.declared.blueprint import Blueprint
from pipeline.errors import leaf_names
from pipeline.functions.webhook_sender.request import post
from pipeline.local.cloud import _worker_environment
from pipeline.local.deployment import NAMES
from pipeline.webhooks.addresses import Address
from pipeline.webhooks.errors import DeliveryError
from pipeline.webhooks.signing import Secrets, new_secret, sign
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "webhooks.md").read_text()
LOCAL = "MATTELINE_LOCAL_RECEIVERS"


@pytest.mark.skipif(shutil.which("node") is None, reason="node missing")
def test_the_documented_receiver_in_javascript_does_too(tmp_path: Path) -> None:
    script = written("js", tmp_path / "receiver.mjs")
    old = Secrets(new_secret())
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {**os.environ, "WEBHOOK_SECRET": old.current, "PORT": str(port)}
    with subprocess.Popen(
        ["node", script], env=environment, stdout=subprocess.PIPE, text=True
    ) as it:
        try:
            wait_until_listening(port)
            answers = answers_of(port, old)
        finally:
            it.terminate()
        told = it.communicate()[0]

    assert answers == [204, 204, 401, 401, 401, 401]
    assert told == "{ state: 'done' }\n"


def written(language: str, path: Path) -> Path:
    """Write the one block of a language in the document to a file."""
    (code,) = re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)
    path.write_text(code)
    return path


def answers_of(port: int, old: Secrets) -> list[int]:
    """Send a message, again, changed, signed by another, too late, and unsigned."""
    body, now = b'{"data": {"state": "done"}}', time.time()
    place = Address("127.0.0.1", port, "/hooks", tls=False)
    genuine = sign("msg_1", body, Secrets(new_secret(), old.current, now + 60), now)
    sendings: tuple[tuple[bytes, dict[str, str]], ...] = (
        (body, genuine),
        (body, genuine),
        (b"{}", genuine),
        (body, sign("msg_2", body, Secrets(new_secret()), now)),
        (body, sign("msg_3", body, old, now - 301)),
        (body, {}),
    )
    return [post(place, ["127.0.0.1"], *sent).status for sent in sendings]


def wait_until_listening(port: int, *, patience_s: float = 60) -> None:
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.05)
    raise AssertionError(f"nothing listens on port {port}")


def test_the_documented_receiver_takes_what_we_sign_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = written("python", tmp_path / "receiver.py")
    old = Secrets(new_secret())
    monkeypatch.setenv("WEBHOOK_SECRET", old.current)
    documented = runpy.run_path(str(script))
    documented["Receiver"].log_message = lambda *_: None
    server = HTTPServer(("127.0.0.1", 0), documented["Receiver"])
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        answers = answers_of(server.server_address[1], old)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

    assert answers == [204, 204, 401, 401, 401, 401]
    assert capsys.readouterr().out == "{'state': 'done'}\n"


def test_the_table_of_errors_names_every_delivery_error_and_no_other() -> None:
    table = PAGE.split("| error | of a message |", 1)[1].split("\n\n", 1)[0]

    assert set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) == leaf_names(DeliveryError)


def test_only_the_local_cloud_allows_receivers_on_its_own_computer(tmp_path: Path) -> None:
    """CDK gives a function the variables that are declared, and none of these is that one."""
    blueprint = Blueprint.read(ROOT)
    declared = [each.environment for each in blueprint.operations(NAMES)]
    declared += [each.environment for each in blueprint.containers]
    folders = (ROOT / name for name in ("pipeline", "infra", "containers", "state_machines"))
    files = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    naming = {
        str(path.relative_to(ROOT))
        for path in files
        if path.suffix in {".py", ".toml", ".json"}
        and not {"node_modules", "cdk.out"} & set(path.parts)
        and LOCAL in path.read_text()
    }

    assert LOCAL in _worker_environment("http://127.0.0.1:1", tmp_path, None, blueprint)
    assert not any(LOCAL in each for each in declared)
    assert naming == {"pipeline/local/cloud.py", "pipeline/functions/webhook_sender/sender.py"}
    assert LOCAL not in os.environ
