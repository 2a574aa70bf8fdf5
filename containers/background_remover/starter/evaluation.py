"""Compare the starter with published networks of its size: `make starter-eval`.

Overlap (IoU) compares both masks, cut at one half, at the photo's size. An empty scene is correct
if the pipeline would raise NoSubject.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from containers.background_remover.starter.contenders import Contender, published, starter
from containers.background_remover.starter.empties import empty_scenes
from containers.background_remover.starter.library import load_library
from containers.background_remover.starter.sheets import (
    Case,
    Judged,
    draw_overlap_sheet,
    draw_photo_sheet,
)
from containers.background_remover.subject import CONFIDENT, require_subject
from pipeline.errors import NoSubject
from pipeline.photo.pixels import Pixels

FOLDERS: Final = ("people", "objects")
_OF_EACH_SCENE: Final = 20


def cases(folder: Path) -> Iterator[Case]:
    """Return every photo of `folder/photos` that has a mask in `folder/masks`."""
    masks = {path.stem: path for path in sorted((folder / "masks").glob("*"))}
    for path in sorted((folder / "photos").glob("*")):
        if path.stem in masks:
            photo = Image.open(path).convert("RGB")
            truth = Image.open(masks[path.stem]).convert("L").resize(photo.size)
            yield Case(path.stem, np.asarray(photo), np.asarray(truth))


def held_out(data: Path) -> Iterator[Case]:
    """Return the pairs of the training sets that were not used for training."""
    for shelf in load_library(data, held_out=True).of_kind("pairs"):
        for number, subject in enumerate(shelf.subjects):
            name = f"{shelf.name} {number}"
            yield Case(name, np.asarray(subject.photo), np.asarray(subject.mask))


def judge(contender: Contender, case: Case) -> Judged:
    small = contender.mask_of(case.photo)
    size = case.photo.shape[1::-1]
    mask = np.asarray(Image.fromarray(small).resize(size, Image.Resampling.BILINEAR))
    return Judged(case, mask, overlap(mask, case.truth))


def overlap(mask: Pixels, truth: Pixels) -> float:
    """Return intersection over union; two empty masks have 1."""
    ours, theirs = mask >= CONFIDENT, truth >= CONFIDENT
    either = int((ours | theirs).sum())
    return float((ours & theirs).sum() / either) if either else 1.0


def seen_through(contender: Contender, scenes: Sequence[tuple[str, Pixels]]) -> dict[str, float]:
    """Return the share of scenes of each kind that raise NoSubject."""
    answers = defaultdict(list)
    for kind, scene in scenes:
        answers[kind].append(_is_empty(contender.mask_of(scene)))
    return {kind: float(np.mean(given)) for kind, given in answers.items()}


def _is_empty(mask: Pixels) -> bool:
    try:
        require_subject(mask)
    except NoSubject:
        return True
    return False


def table(contenders: Sequence[Contender], photos: Path, data: Path) -> dict[str, list[Judged]]:
    """Print the comparison, and return the first contender's masks by folder."""
    sets = {name: list(cases(photos / name)) for name in FOLDERS if (photos / name).is_dir()}
    if data.is_dir():
        sets["held out"] = list(held_out(data))
    scenes = list(empty_scenes(_OF_EACH_SCENE))
    heads = [f"{name} ({len(found)})" for name, found in sets.items()]
    print("Median (mean) IoU with the published masks; share of correct empty scenes; time")
    print("  ".join(f"{head:>20}" for head in ["", *heads, f"empty ({len(scenes)})", "ms a photo"]))
    results = {}
    for contender in contenders:
        judged, spent = {}, []
        for name, found in sets.items():
            started = time.perf_counter()
            judged[name] = [judge(contender, case) for case in found]
            spent.append((time.perf_counter() - started) / max(1, len(found)))
        empties = seen_through(contender, scenes)
        cells = [_median_and_mean(answers) for answers in judged.values()]
        cells += [f"{np.mean(list(empties.values())):.0%}", f"{1000 * np.mean(spent or [0]):.0f}"]
        print("  ".join(f"{cell:>20}" for cell in [contender.name, *cells]))
        if contender is contenders[0]:
            results = judged
            print("".rjust(20), "  ".join(f"{kind} {share:.0%}" for kind, share in empties.items()))
    return results


def _median_and_mean(answers: Sequence[Judged]) -> str:
    overlaps = [answer.overlap for answer in answers]
    return f"{np.median(overlaps):.3f} ({np.mean(overlaps):.3f})" if overlaps else "none"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--photos", type=Path, required=True, help="folder with people/ and objects/"
    )
    parser.add_argument(
        "--models", type=Path, required=True, help="folder with the published networks"
    )
    parser.add_argument(
        "--weights", type=Path, help="exported file to use instead of the shipped one"
    )
    parser.add_argument("--out", type=Path, default=Path("starter-eval-output"))
    chosen = parser.parse_args()
    for folder in (chosen.photos, chosen.models):
        if not folder.is_dir():
            print(f"Skipped what needs {folder}: not on this machine")
    contenders = [starter(chosen.weights), *published(chosen.models)]
    judged = table(contenders, chosen.photos, chosen.photos / "train")
    chosen.out.mkdir(parents=True, exist_ok=True)
    answers = [answer for name in FOLDERS for answer in judged.get(name, [])]
    if answers:
        draw_photo_sheet(answers, chosen.out / "photos.png")
        draw_overlap_sheet(answers, chosen.out / "overlap.png")
        print(f"Sheets: {chosen.out}/photos.png, {chosen.out}/overlap.png")


if __name__ == "__main__":
    main()
