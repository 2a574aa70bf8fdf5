"""Diarize recordings with pyannote's own pipeline; print turns and time. Nothing of ours runs here.

`python pyannote_peer.py SEGMENTATION EMBEDDING STEP_S THRESHOLDS SAMPLES...`: the checkpoints of
PyanNet and of Resemblyzer's encoder, how far apart the pipeline looks, thresholds of its clustering
with commas, and arrays of samples at 16 kHz, of shape (n,). Loading does not count.

Neither network knows the other: the pipeline takes an embedding by an interface, which `Encoder`
implements as pyannote's own class for SpeechBrain does: it cuts the masked samples out.
"""

import json
import resource
import sys
import time
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torchaudio
from pyannote.audio import Model
from pyannote.audio.pipelines import speaker_diarization
from torch import nn
from torch.nn.functional import normalize

Embeddings = npt.NDArray[np.float32]

RATE = 16_000
PARTIAL = 160  # frames of 10 ms
LEAST_S = 0.4
AT_ONCE = 32
LOUDNESS = 10 ** (-30 / 20)  # Resemblyzer brings quieter sound to -30 dB


class Encoder(nn.Module):
    """Resemblyzer's speaker encoder (GE2E), as `resemblyzer/voice_encoder.py` has it."""

    sample_rate, dimension, metric, min_num_samples = RATE, 256, "cosine", int(LEAST_S * RATE)

    def __init__(self, path: str) -> None:
        super().__init__()
        self.lstm = nn.LSTM(40, 256, 3, batch_first=True)
        self.linear = nn.Linear(256, 256)
        kept = torch.load(path, map_location="cpu", weights_only=True)["model_state"]
        self.load_state_dict(kept, strict=False)
        self.spectrum = torchaudio.transforms.MelSpectrogram(
            RATE, n_fft=400, hop_length=160, n_mels=40, norm="slaney", mel_scale="slaney",
            pad_mode="constant",
        )  # fmt: skip

    @torch.inference_mode()  # type: ignore[untyped-decorator] # torch may be absent
    def forward(self, waveforms: torch.Tensor, masks: torch.Tensor) -> Embeddings:
        """Embed what each mask leaves of each waveform, (batch, 1, n): (batch, 256)."""
        wide = nn.functional.interpolate(masks[:, None], size=waveforms.shape[-1]).squeeze(1) > 0.5
        found = np.full((len(waveforms), self.dimension), np.nan)
        for at, (waveform, mask) in enumerate(zip(waveforms[:, 0], wide, strict=True)):
            if mask.sum() >= self.min_num_samples:
                found[at] = self.embedded(waveform[mask])
        return found

    def embedded(self, said: torch.Tensor) -> Embeddings:
        louder = LOUDNESS / said.square().mean().sqrt().clamp(min=1e-6)
        frames = self.spectrum(said * louder.clamp(min=1)).T
        step = round(RATE / 1.3 / 160)
        starts = range(0, max(1, len(frames) - PARTIAL + step + 1), step)
        pieces = [frames[start : start + PARTIAL] for start in starts]
        long = [piece for piece in pieces if len(piece) >= 0.75 * PARTIAL] or pieces[:1]
        padded = [nn.functional.pad(piece, (0, 0, 0, PARTIAL - len(piece))) for piece in long]
        _, (hidden, _) = self.lstm(torch.stack(padded))
        partial = normalize(self.linear(hidden[-1]).relu(), dim=1)
        found: Embeddings = normalize(partial.mean(dim=0), dim=0).numpy()
        return found


def pipeline(segmentation: Model, encoder: Encoder, step_s: float) -> Any:
    speaker_diarization.PretrainedSpeakerEmbedding = lambda *_, **__: encoder
    speaker_diarization.get_plda = lambda *_, **__: None  # only VBx needs one, and it is gated
    return speaker_diarization.SpeakerDiarization(
        legacy=True, segmentation=segmentation, embedding=encoder, plda="",
        segmentation_step=step_s / segmentation.specifications.duration,
        clustering="AgglomerativeClustering", embedding_exclude_overlap=True,
        embedding_batch_size=AT_ONCE, segmentation_batch_size=AT_ONCE,
    )  # fmt: skip


def main(segmentation: str, embedding: str, step_s: str, thresholds: str, *paths: str) -> None:
    torch.set_num_threads(1)
    diarize = pipeline(Model.from_pretrained(segmentation), Encoder(embedding), float(step_s))
    found = []
    for threshold in map(float, thresholds.split(",")):
        # The values of the pipeline that was published with this network, but for the embedding's.
        diarize.instantiate(
            {
                "segmentation": {"threshold": 0.58, "min_duration_off": 0.0},
                "clustering": {
                    "method": "centroid", "min_cluster_size": 12, "threshold": threshold,
                },
            }
        )  # fmt: skip
        for path in paths:
            waveform = torch.from_numpy(np.load(path))[None]
            started = time.process_time()
            turns = diarize({"waveform": waveform, "sample_rate": RATE})
            took = time.process_time() - started
            told = [[s.start, s.end, who] for s, _, who in turns.itertracks(yield_label=True)]
            found.append({"threshold": threshold, "path": path, "cpu_s": took, "turns": told})
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write("\n" + json.dumps({"peak_mb": peak_mb, "found": found}))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(*sys.argv[1:])
