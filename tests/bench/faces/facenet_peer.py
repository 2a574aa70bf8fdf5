"""Find and embed faces with facenet-pytorch; print them with time and memory. Nothing of ours runs.

`python facenet_peer.py find JOB.json` reads {photos: [{path, width, height}], rounds}; a photo is a
file of RGB bytes. It prints the boxes, probabilities and points of each photo, and the processor
time and memory of each round. Loading does not count, nor does the suppression that is re-made
here, in numpy: torchvision's is C++.

`python facenet_peer.py embed CHECKPOINT FACES.npy OUT.npy` writes random weights of
InceptionResnetV1 to CHECKPOINT, and its embeddings of FACES, (n, 160, 160, 3), to OUT.

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


def find(job: dict[str, Any]) -> None:
    facenet = _imported()
    mtcnn = facenet.MTCNN(keep_all=True, device="cpu")
    photos = []
    for photo in job["photos"]:
        size = photo["height"], photo["width"], 3
        rounds = []
        for _ in range(job["rounds"]):
            pixels = np.fromfile(photo["path"], np.uint8).reshape(size)
            started, suppressed = time.process_time(), _suppression_s
            boxes, probabilities, points = mtcnn.detect(pixels, landmarks=True)
            took = time.process_time() - started
            suppressing = _suppression_s - suppressed
            cpu = {"cpu_s": took - suppressing, "suppression_s": suppressing}
            rounds.append(cpu | {"resident_mb": _resident_mb()})
        faces = zip(boxes, probabilities, points, strict=True) if boxes is not None else ()
        found = [
            {"box": box.tolist(), "score": float(score), "landmarks": five.tolist()}
            for box, score, five in faces
        ]
        photos.append({"faces": found, "rounds": rounds})
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(json.dumps({"photos": photos, "peak_mb": peak_mb}))


def embed(checkpoint: str, faces: str, out: str) -> None:
    """Embed as its users do: pixels by `fixed_image_standardization`, of unit length."""
    facenet = _imported()
    torch.manual_seed(0)
    network = facenet.InceptionResnetV1(classify=False, num_classes=10)
    with torch.no_grad():
        pixels = torch.from_numpy(np.load(faces)).permute(0, 3, 1, 2).float()
        normal = facenet.fixed_image_standardization(pixels)
        for module in network.modules():
            if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
                module.momentum = None
        network.train()(normal)  # statistics of these faces: their embeddings differ
        torch.save(network.eval().state_dict(), checkpoint)
        np.save(out, network(normal).numpy())


def _resident_mb() -> float:
    status = Path("/proc/self/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    torch.set_num_threads(1)
    if sys.argv[1] == "find":
        find(json.loads(Path(sys.argv[2]).read_bytes()))
    else:
        embed(*sys.argv[2:])
