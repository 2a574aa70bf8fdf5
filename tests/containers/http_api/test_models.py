"""`GET /models` is the catalogue of the deployment."""

from __future__ import annotations

from pathlib import Path

import pytest

from containers.http_api.api import build_api
from pipeline.declared.catalogue import load_catalogue
from pipeline.workbench import Settings
from tests.conftest import ROOT
from tests.containers.http_api.conftest import Ask, ask_of

OWN = """
[[models]]
name = "hair"
summary = "Hair."
engine = "saliency"
licence = "CC-BY-NC-4.0"
commercial = false
fallback = "u2netp"
memory_mb = 1024
saliency = { input_size = 64, scale = 1, mean = [0, 0, 0], std = [1, 1, 1], activation = "none" }

[[models.files]]
name = "hair.onnx"
digest = "md5:00000000000000000000000000000000"
"""


def test_every_row_is_listed_in_the_catalogues_order(ask: Ask) -> None:
    answer = ask("GET", "/models")

    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert [model["name"] for model in answer.json["models"]] == [
        row.name for row in load_catalogue(ROOT).rows
    ]


def test_a_model_says_what_a_user_chooses_by(ask: Ask) -> None:
    answer = ask("GET", "/models").json
    models = {model["name"]: model for model in answer["models"]}
    row = load_catalogue(ROOT).row("birefnet-general")
    measured = load_catalogue(ROOT).measured_of(row)

    assert measured is not None
    assert models["birefnet-general"] == {
        "name": "birefnet-general",
        "summary": row.summary,
        "suits": "finest",
        "output": "mask",
        "uses": [{"product": "cutout", "option": "model"}],
        "licence": "MIT",
        "commercial": True,
        "available": True,
        "takes_prompts": False,
        "hosted": False,
        "lifecycle": None,
        "verified": True,
        "memory_mb": row.memory_mb,
        "seconds": pytest.approx(measured.seconds_with(row.memory_mb), abs=0.01),
        "dollars_per_1000": pytest.approx(measured.dollars_per_1000(row.memory_mb), abs=1e-4),
        "fallback": "birefnet-general-lite",
    }
    assert models["sam-vit-b"]["takes_prompts"]
    hosted = models["stability-remove-background"]
    assert (hosted["hosted"], hosted["fallback"]) == (True, "birefnet-general-lite")
    assert hosted["lifecycle"] == {"read": "2026-11-29", "ends": None}
    assert (hosted["seconds"], hosted["dollars_per_1000"]) == (None, None)
    assert models["birefnet-matting"]["output"] == "alpha"
    assert not models["birefnet-toonout"]["verified"]
    assert {"name": "people", "title": "People"} in answer["groups"]


def test_a_deployments_own_row_is_available_once_its_licence_is_accepted(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(OWN)
    for accepted in ((), ("CC-BY-NC-4.0",)):
        settings = Settings(catalogue_overlays=(tmp_path / "own.toml",), accepted_licences=accepted)
        ask = ask_of(build_api(ROOT, settings))

        hair = ask("GET", "/models").json["models"][-1]

        assert (hair["name"], hair["commercial"]) == ("hair", False)
        assert hair["available"] is bool(accepted)
        cutout, *_ = ask("GET", "/options").json["products"]
        named = cutout["options"]["properties"]["model"]["enum"]
        assert ("hair" in named) is bool(accepted)


def test_the_path_may_begin_as_the_page_has_it(ask: Ask) -> None:
    assert ask("GET", "/api/models").text == ask("GET", "/models").text
