"""Build a Whisper with the true contract and weights written by hand, for self-test and tests.

Its encoder hears nothing: each position of its decoder writes one token of a given sentence. It is
otherwise what CTranslate2 loads: shapes, vocabulary, special tokens and attention for alignment.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, get_args

import numpy as np

from pipeline.contracts.transcript_words import Language

WIDTH: Final = 64  # also the most tokens of prompt and sentence
_HEADS: Final = 1
_STEPS_A_TOKEN: Final = 25  # of the encoder: 0.5 s
_LOUD: Final = 12.0  # the logit of the token that a position writes, in units of its neighbours'
_LANGUAGES: Final = 99
_TIMESTAMPS: Final = 1501
# CTranslate2 tells models apart by their vocabulary. The published multilingual one has so many
# tokens, an empty one before the special ones.
_MULTILINGUAL: Final = 51_865
_END: Final = "<|endoftext|>"


def build_whisper(
    folder: Path, words: Sequence[str], *, mels: int = 80, language: str | None = "en"
) -> None:
    """Write the model's four files. It writes `words`, each with its space, then ends.

    Without `language` it knows English only; otherwise it hears that language in every slice.
    """
    import ctranslate2  # noqa: PLC0415 - loads with a model

    tokens = _vocabulary(words, multilingual=language is not None)
    prompt = _prompt(language)
    spec = ctranslate2.specs.WhisperSpec(1, _HEADS, 1, _HEADS)
    _fill(spec.encoder, {"conv1": mels, "positions": 1500})
    _fill(spec.decoder, {"positions": 448})
    _write_by_position(spec.decoder, tokens, [*prompt, *words, _END], start=len(prompt) - 1)
    if language is not None:
        spec.decoder.projection.weight[tokens.index(f"<|{language}|>"), 0] = _LOUD
    _attend_in_order(spec, first=len(prompt) - 1)
    spec.config.alignment_heads = [(0, 0)]
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = []
    if language is not None:
        first = tokens.index("<|startoftranscript|>") + 1
        spec.config.lang_ids = list(range(first, first + _LANGUAGES))
    spec.register_vocabulary(tokens)
    spec.validate()
    folder.mkdir(parents=True, exist_ok=True)
    spec.save(str(folder))
    _write_tokenizer(folder / "tokenizer.json", tokens)


def _prompt(language: str | None) -> list[str]:
    task = [f"<|{language}|>", "<|transcribe|>"] if language else []
    return ["<|startoftranscript|>", *task, "<|notimestamps|>"]


def _vocabulary(words: Sequence[str], *, multilingual: bool) -> list[str]:
    from tokenizers.pre_tokenizers import ByteLevel  # noqa: PLC0415 - loads with a model

    written = sorted(ByteLevel.alphabet()) + [_as_token(word) for word in dict.fromkeys(words)]
    languages: list[str] = []
    if multilingual:
        known = ["en", *(code for code in get_args(Language) if code not in {"en", "yue"})]
        languages = [f"<|{code}|>" for code in known]
    special = [
        _END, "<|startoftranscript|>", *languages, "<|translate|>", "<|transcribe|>",
        "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>",
        *(f"<|{step * 0.02:.2f}|>" for step in range(_TIMESTAMPS)),
    ]  # fmt: skip
    if not multilingual:
        return [*written, *special]
    unused = (
        f"unused{number}" for number in range(_MULTILINGUAL - len(written) - len(special) - 1)
    )
    return [*written, *unused, "", *special]


def _as_token(word: str) -> str:
    """Return a word as the vocabulary writes it: a byte that is no printable character has one."""
    from tokenizers.pre_tokenizers import ByteLevel  # noqa: PLC0415 - loads with a model

    ((token, _place),) = ByteLevel(add_prefix_space=False, use_regex=False).pre_tokenize_str(word)
    return str(token)


def _fill(spec: Any, sizes: dict[str, int]) -> None:  # noqa: ANN401 - ctranslate2 has no types
    """Give every variable of an encoder or decoder its shape; attention and layers add nothing."""
    zeros = np.zeros
    if "conv1" in sizes:
        spec.conv1.weight = zeros((WIDTH, sizes["conv1"], 3), np.float32)
        spec.conv2.weight = zeros((WIDTH, WIDTH, 3), np.float32)
        spec.conv1.bias = spec.conv2.bias = zeros(WIDTH, np.float32)
    spec.position_encodings.encodings = zeros((sizes["positions"], WIDTH), np.float32)
    _fill_norm(spec.layer_norm)
    for layer in spec.layer:
        _fill_attention(layer.self_attention, [3 * WIDTH, WIDTH])
        if hasattr(layer, "attention"):
            _fill_attention(layer.attention, [WIDTH, 2 * WIDTH, WIDTH])
        _fill_norm(layer.ffn.layer_norm)
        _fill_linear(layer.ffn.linear_0, 4 * WIDTH, WIDTH)
        _fill_linear(layer.ffn.linear_1, WIDTH, 4 * WIDTH)


def _fill_attention(spec: Any, outputs: Sequence[int]) -> None:  # noqa: ANN401 - as above
    _fill_norm(spec.layer_norm)
    for linear, size in zip(spec.linear, outputs, strict=True):
        _fill_linear(linear, size, WIDTH)


def _fill_norm(spec: Any) -> None:  # noqa: ANN401 - as above
    spec.gamma, spec.beta = np.ones(WIDTH, np.float32), np.zeros(WIDTH, np.float32)


def _fill_linear(spec: Any, outputs: int, inputs: int) -> None:  # noqa: ANN401 - as above
    spec.weight = np.zeros((outputs, inputs), np.float32)
    spec.bias = np.zeros(outputs, np.float32)


def _write_by_position(
    spec: Any,  # noqa: ANN401 - as above
    tokens: Sequence[str],
    text: Sequence[str],
    *,
    start: int,
) -> None:
    """Let the decoder write the token after each position of `text`, from the place `start` on."""
    spec.embeddings.weight = np.zeros((len(tokens), WIDTH), np.float32)
    spec.position_encodings.encodings[:WIDTH] = np.eye(WIDTH, dtype=np.float32)
    projection = np.zeros((len(tokens), WIDTH), np.float32)
    for position in range(start, len(text) - 1):
        word = text[position + 1]
        projection[tokens.index(word if word == _END else _as_token(word)), position] = _LOUD
    spec.projection.weight = projection


def _attend_in_order(spec: Any, *, first: int) -> None:  # noqa: ANN401 - as above
    """Let the decoder's positions from `first` on attend to one half second after the other."""
    encodings = spec.encoder.position_encodings.encodings
    for step in range(len(encodings)):
        encodings[step, min(first + step // _STEPS_A_TOKEN, WIDTH - 1)] = 1
    attention = spec.decoder.layer[0].attention
    attention.linear[0].weight = np.eye(WIDTH, dtype=np.float32)
    attention.linear[1].weight[:WIDTH] = np.eye(WIDTH, dtype=np.float32)


def _write_tokenizer(path: Path, tokens: Sequence[str]) -> None:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers  # noqa: PLC0415 - as above

    end = tokens.index(_END)
    vocabulary = {token: index for index, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(list(tokens[end:]))
    path.write_text(json.dumps(json.loads(tokenizer.to_str())))
