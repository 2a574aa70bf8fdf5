"""`matteline up`: what it prints is what is typed here, letter by letter, into the real AWS CLI."""

from __future__ import annotations

import json
import re
import signal
import socket
from pathlib import Path

import urllib3

from tests.pictures import png, square, unpng
from tests.pipeline.cli.terminal import Terminal


def test_what_is_printed_can_be_typed(terminal: Terminal) -> None:
    aws = terminal.command("aws").split(" s3 ")[0]
    terminal.type(terminal.command(f"{aws} s3 cp cat.jpg"))
    terminal.wait_for("DONE        cat.jpg")

    terminal.type(terminal.command(f"{aws} s3 cp cat.jpg"))
    terminal.wait_for("DUPLICATE   cat.jpg")

    started = terminal.type(terminal.command(f"{aws} stepfunctions start-execution"))
    terminal.type(terminal.command(f"{aws} s3 cp --recursive"))
    listed = terminal.type(terminal.command(f"{aws} stepfunctions list-executions"))
    arn = json.loads(started)["executionArn"]
    history = terminal.type(
        terminal.command(f"{aws} stepfunctions get-execution-history").replace("ARN", arn)
    )

    assert unpng((terminal.folder / "out/cat_bg_removed.png").read_bytes()).shape == (96, 96, 4)
    assert len(json.loads(listed)["executions"]) == 3
    entered = re.findall(r'"name": "(\w+)"', history)
    assert "RemoveBackground" not in entered


def test_options_travel_as_metadata(terminal: Terminal) -> None:
    command = next(line.strip() for line in terminal.shown.splitlines() if "--metadata" in line)

    terminal.type(command.replace("/ --", "/crop.jpg --"))

    assert "crop_bg_removed.webp" in terminal.wait_for("crop_bg_removed")


def test_a_refused_photo_is_said_with_its_reason(terminal: Terminal) -> None:
    (terminal.folder / "diary.jpg").write_text("Dear diary")

    terminal.type(
        terminal.command("aws").split("cat.jpg")[0] + "diary.jpg s3://matteline-local-ingest/"
    )

    assert "QUARANTINED diary.jpg  UnsupportedMedia:" in terminal.wait_for("diary.jpg  Unsupported")


def test_the_api_answers_at_the_printed_address(terminal: Terminal) -> None:
    address = terminal.command("curl").removeprefix("curl ")

    answer = urllib3.request("GET", address)

    assert address.endswith("/api/models")
    assert answer.status == 200
    assert "brightness" in {model["name"] for model in answer.json()["models"]}


def test_the_page_is_at_the_address_that_is_printed_first(terminal: Terminal) -> None:
    (address,) = re.findall(r"Open the page in a browser:\n  (\S+)\n", terminal.shown)

    answer = urllib3.request("GET", address)

    assert terminal.endpoint in address
    assert terminal.shown.index(address) < terminal.shown.index("export ")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert b'<script type="module" src="app.js">' in answer.data


def test_the_page_may_ask_and_upload_and_no_other_page_may(terminal: Terminal) -> None:
    headers = {"Origin": terminal.endpoint, "Content-Type": "application/json"}
    photo = png(square())
    asked = json.dumps({"name": "own.png", "bytes": len(photo)})

    def ask(origin: str) -> urllib3.BaseHTTPResponse:
        given = headers | {"Origin": origin}
        return urllib3.request(
            "POST", f"{terminal.endpoint}/api/uploads", body=asked, headers=given
        )

    form = ask(terminal.endpoint).json()

    def send(origin: str) -> int:
        fields = {**form["fields"], "file": ("own.png", photo)}
        return urllib3.request(
            "POST", form["url"], fields=fields, headers={"Origin": origin}
        ).status

    job = f"{terminal.endpoint}/api/jobs/{form['id']}"
    wait = {"Origin": terminal.endpoint, "Prefer": "wait=20"}
    assert form["url"].startswith(terminal.endpoint)
    assert [ask("https://evil.example").status, send("http://localhost:1"), send("null")] == [
        403
    ] * 3
    assert send(terminal.endpoint) == 201
    result = urllib3.request("GET", job, headers=wait).json()["results"][0]["url"]
    assert urllib3.request("GET", result, headers=wait).status == 200
    assert urllib3.request("GET", result, headers={"Origin": "https://evil.example"}).status == 403


def test_it_listens_on_this_machine_only(terminal: Terminal) -> None:
    port = int(re.search(r"127\.0\.0\.1:(\d+)", terminal.shown)[1])  # type: ignore[index]
    listening = Path("/proc/net/tcp").read_text()

    assert f"0100007F:{port:04X}" in listening
    assert f"00000000:{port:04X}" not in listening


def test_ctrl_c_leaves_nothing_running(terminal: Terminal) -> None:
    workers = terminal.workers()
    port = int(re.search(r"127\.0\.0\.1:(\d+)", terminal.shown)[1])  # type: ignore[index]
    logs = Path(re.search(r"tail -f (\S+)/\*\.log", terminal.shown)[1])  # type: ignore[index]
    assert workers
    assert logs.is_dir()

    terminal.process.send_signal(signal.SIGINT)

    assert terminal.process.wait(20) == 0
    assert [pid for pid in workers if Path(f"/proc/{pid}").exists()] == []
    assert not logs.exists()
    assert len([*(terminal.folder / "cache").rglob("brightness.onnx")]) == 1
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
    assert "Traceback" not in terminal.shown
