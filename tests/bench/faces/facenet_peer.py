"""Find and embed faces with facenet-pytorch; print them with time and memory. Nothing of ours runs.

`python facenet_peer.py JOB.json` reads {photos: [{path, width, height}], rounds, checkpoint,
threads}; a photo is a file of RGB bytes, and `threads` is 0 for as many as torch chooses. It prints
the boxes, scores, points and embeddings of each photo, and the processor time and memory of each
round. Loading does not count, nor does the suppression that is re-made here, in numpy: that of
torchvision is C++.

`checkpoint` is a file of weights of InceptionResnetV1, or null for no embeddings. If there is none,
it is made first: random weights, with the statistics of these faces.

facenet-pytorch imports torchvision for two functions and requests for downloads. torchvision does
not load beside a torch without CUDA, so both functions are re-made; nothing is downloaded.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

Pixels = npt.NDArray[np.uint8]

_suppression_s = 0.0


def batched_nms(
    boxes: torch.Tensor, scores: torch.Tensor, groups: torch.Tensor, threshold: float
) -> torch.Tensor:
    """Suppress as torchvision.ops does: by falling score, in each group, above `threshold`."""
    started = time.process_time()
    shifted = boxes + (groups.to(boxes) * (boxes.max() + 1))[:, None] if len(boxes) else boxes
    order = torch.sort(scores, stable=True, descending=True).indices.numpy()
    left, top, right, bottom = shifted.numpy()[order].T
    areas = (right - left) * (bottom - top)
    alive = np.ones(len(order), bool)
    kept = []
    for place in range(len(order)):
        if not alive[place]:
            continue
        kept.append(place)
        width = np.minimum(right[place], right) - np.maximum(left[place], left)
        height = np.minimum(bottom[place], bottom) - np.maximum(top[place], top)
        shared = np.maximum(width, 0) * np.maximum(height, 0)
        alive &= shared / (areas[place] + areas - shared) <= threshold
    global _suppression_s  # noqa: PLW0603
    _suppression_s += time.process_time() - started
    return torch.from_numpy(order[kept].astype(np.int64))


def to_tensor(picture: npt.NDArray[np.float32]) -> torch.Tensor:
    """Return (height, width, channels) as torchvision does for floats: channels first."""
    return torch.from_numpy(picture.transpose(2, 0, 1)).contiguous()


def _imported() -> Any:
    functional = ModuleType("torchvision.transforms.functional")
    functional.to_tensor = to_tensor  # type: ignore[attr-defined]
    boxes = ModuleType("torchvision.ops.boxes")
    boxes.batched_nms = batched_nms  # type: ignore[attr-defined]
    transforms = ModuleType("torchvision.transforms")
    transforms.functional = functional  # type: ignore[attr-defined]
    adapters = ModuleType("requests.adapters")
    adapters.HTTPAdapter = None  # type: ignore[attr-defined]
    bare = ("torchvision", "torchvision.ops", "requests", "tqdm")
    made = [*map(ModuleType, bare), transforms, functional, boxes, adapters]
    sys.modules.update({module.__name__: module for module in made})
    sys.modules["tqdm"].tqdm = None  # type: ignore[attr-defined]
    import facenet_pytorch

    return facenet_pytorch


class Embedder:
    """InceptionResnetV1 on a face's box, as its users write it."""

    def __init__(self, facenet: Any) -> None:
        self._facenet = facenet
        self._network = facenet.InceptionResnetV1(classify=False, num_classes=10).eval()

    def load(self, checkpoint: Path, crops: list[torch.Tensor]) -> None:
        """Read the checkpoint; without one, make it with the statistics of these faces."""
        if checkpoint.is_file():
            self._network.load_state_dict(torch.load(checkpoint, weights_only=True))
            return
        for module in self._network.modules():
            if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
                module.momentum = None
        self._network.train()(torch.stack(crops))
        torch.save(self._network.eval().state_dict(), checkpoint)

    def cut(self, pixels: Pixels, boxes: Any) -> list[torch.Tensor]:
        """Return the faces, 3 × 160 × 160."""
        picture = Image.fromarray(pixels)
        faces = [self._facenet.extract_face(picture, box) for box in boxes]
        return [self._facenet.fixed_image_standardization(face) for face in faces]

    def embed(self, faces: list[torch.Tensor]) -> list[list[float]]:
        embedded: list[list[float]] = self._network(torch.stack(faces)).tolist()
        return embedded


@torch.inference_mode()  # type: ignore[untyped-decorator] # torch may be absent
def main(job: dict[str, Any]) -> None:
    if job["threads"]:
        torch.set_num_threads(job["threads"])
    torch.manual_seed(0)
    facenet = _imported()
    mtcnn = facenet.MTCNN(keep_all=True, device="cpu")
    embedder = _embedder(job, facenet, mtcnn) if job["checkpoint"] else None
    for photo in job["photos"]:
        rounds = []
        for _ in range(job["rounds"]):
            pixels = _read(photo)
            started, suppressed = time.process_time(), _suppression_s
            boxes, scores, points = mtcnn.detect(pixels, landmarks=True)
            suppressing = _suppression_s - suppressed
            found_s = time.process_time() - started - suppressing
            started = time.process_time()
            vectors = embedder.embed(embedder.cut(pixels, boxes)) if embedder else None
            cpu = {"cpu_s": found_s, "suppression_s": suppressing}
            cpu["embed_s"] = time.process_time() - started
            rounds.append(cpu | {"resident_mb": _resident_mb()})
        faces = [] if boxes is None else zip(boxes, scores, points, strict=True)
        found = [_told(*face) for face in faces]
        for face, vector in zip(found, vectors or (), strict=bool(vectors)):
            face["descriptor"] = vector
        sys.stdout.write(json.dumps({"faces": found, "rounds": rounds}) + "\n")
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(json.dumps({"peak_mb": peak_mb}) + "\n")


def _embedder(job: dict[str, Any], facenet: Any, mtcnn: Any) -> Embedder:
    embedder = Embedder(facenet)
    pictures = map(_read, job["photos"])
    found = [(pixels, mtcnn.detect(pixels)[0]) for pixels in pictures]
    crops = [crop for pixels, boxes in found for crop in embedder.cut(pixels, boxes)]
    embedder.load(Path(job["checkpoint"]), crops)
    return embedder


def _read(photo: dict[str, Any]) -> Pixels:
    return np.fromfile(photo["path"], np.uint8).reshape(photo["height"], photo["width"], 3)


def _told(box: Any, score: Any, points: Any) -> dict[str, Any]:
    left, top, right, bottom = box.tolist()
    sides = [left, top, right - left, bottom - top]
    return {"box": sides, "score": float(score), "landmarks": points.tolist()}


def _resident_mb() -> float:
    status = Path("/proc/self/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_bytes()))
