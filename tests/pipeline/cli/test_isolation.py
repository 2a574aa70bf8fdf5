"""The local cloud is out of reach of the person's own AWS and proxy settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pictures import png, square
from tests.pipeline.cli.conftest import Matteline


def test_profiles_endpoints_and_proxies_do_not_reach_the_cloud(
    matteline: Matteline, tmp_path: Path
) -> None:
    (tmp_path / "cat.png").write_bytes(png(square()))
    config = tmp_path / "config"
    config.write_text("[default]\nendpoint_url = http://127.0.0.1:9\nregion = eu-west-3\n")

    done = matteline(
        "run", str(tmp_path / "cat.png"), "-o", str(tmp_path / "out"), "--model", "brightness",
        AWS_PROFILE="nobody", AWS_CONFIG_FILE=str(config), AWS_RETRY_MODE="bogus",
        AWS_ENDPOINT_URL="http://127.0.0.1:9", http_proxy="http://127.0.0.1:9",
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "out" / "cat_bg_removed.png").is_file()


@pytest.mark.parametrize("columns", ["60", "200"])
def test_a_table_fits_the_terminal(matteline: Matteline, tmp_path: Path, columns: str) -> None:
    (tmp_path / "diary.jpg").write_bytes(b"Dear diary")

    done = matteline(
        "run", str(tmp_path / "diary.jpg"), "-o", str(tmp_path / "out"), "--model", "brightness",
        COLUMNS=columns, PYTHONIOENCODING="ascii",
    )  # fmt: skip

    assert done.returncode == 1
    assert "QUARANTINED" in done.stdout
    assert "Traceback" not in done.stderr
    assert "contact-sheet.png are in" not in done.stdout
