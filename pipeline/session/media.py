"""Tell which product each file is for: by its content, then by its name.

The products' declarations are read without pydantic: a run next to `matteline up` needs it nowhere
else, and it takes longer to load than a photo takes.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, Final

from pipeline.audio.sniffing import sniff
from pipeline.errors import UnsupportedMedia

_MACHINES: Final = Path(__file__).parents[2] / "state_machines"
_DECLARATION: Final = ".product.toml"
MODEL: Final = "model"  # the option that names a model of a role that is always needed
# The products that a run makes: what each is made of, and what its options and models are for.
_WORDS: Final = {
    "cutout": ("photo", "photos"),
    "faces": ("photo", "faces"),
    "transcript": ("recording", "recordings"),
}
# A file with such a name is a photo to its owner: if its content is not, that is a failure.
_PHOTO_SUFFIXES: Final = frozenset({
    ".3fr", ".arw", ".avif", ".bmp", ".cr2", ".cr3", ".crw", ".dng", ".gif", ".heic", ".heif",
    ".hif", ".iiq", ".j2k", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".jxl", ".nef", ".nrw",
    ".orf", ".pef", ".png", ".psd", ".raf", ".raw", ".rw2", ".sr2", ".srf", ".srw", ".tif",
    ".tiff", ".webp",
})  # fmt: skip


@dataclass(frozen=True, eq=False)
class Kind:
    """A kind of media, and a product that is made of it.

    `noun` is one file of that kind, and `title` what the product's options and models are for.
    `record` ends the name of the product's output record. `suffixes` are the ends of the keys that
    start the product; the one product without any takes all other keys. With `on_request`, no key
    starts it. `roles` are the tasks that need a model.
    """

    product: str
    noun: str
    title: str
    record: str
    on_request: bool
    suffixes: tuple[str, ...]
    roles: Mapping[str, Mapping[str, Any]]

    @property
    def metadata(self) -> dict[str, str]:
        """Return the metadata that an object needs for this product to be made of it."""
        return {"matteline-product": self.product} if self.on_request else {}

    @property
    def on_batch(self) -> bool:
        """Return True if models of the product may run in jobs of AWS Batch."""
        return any(role.get("batch") for role in self.roles.values())

    def containers(self, options: Collection[str] = ()) -> set[str]:
        """Return the containers of which it takes the default model, if these options are given.

        Of a container whose model an option names, the default need not be available.
        """
        return {
            role["container"]
            for role in self.roles.values()
            if role.get("when") in {None, *options}
            and (role.get("option") in {None, MODEL} or _is_default(role, options))
        }

    def asked_containers(self, options: Collection[str]) -> set[str]:
        """Return the containers of which it takes the default model because of these options."""
        return self.containers(options) - self.containers()

    def named_models(self, options: Mapping[str, str]) -> dict[str, str]:
        """Return the models that these options name, apart from `model`, by option."""
        naming = {role["option"] for role in self.roles.values() if "option" in role} - {MODEL}
        return {option: name for option, name in options.items() if option in naming}

    def takes_model_of(self, container: str) -> bool:
        """Return True if its option `model` names a model of this container."""
        return any(
            role["container"] == container and role.get("option") == MODEL
            for role in self.roles.values()
        )


def _declared() -> dict[str, Kind]:
    kinds = {}
    for path in sorted(_MACHINES.glob(f"*{_DECLARATION}")):
        declared = tomllib.loads(path.read_text(encoding="utf-8"))
        name, suffixes = declared["name"], tuple(declared.get("suffixes", ()))
        kinds[name] = Kind(
            name,
            *_WORDS.get(name, ("", "")),
            declared["record"],
            declared.get("on_request", False),
            suffixes,
            declared.get("roles", {}),
        )
    return kinds


_ALL: Final = _declared()
KINDS: Final = {name: kind for name, kind in _ALL.items() if kind.noun}
PHOTO: Final = KINDS["cutout"]  # a photo of which nothing else is asked
FACES: Final = KINDS["faces"]
RECORDING: Final = KINDS["transcript"]


def _is_default(role: Mapping[str, Any], options: Collection[str]) -> bool:
    """Return True if a role that an option asks for has the container's default model."""
    return "when" in role and role["option"] not in options


def kind_of(path: PurePath, head: bytes) -> Kind:
    """Return the kind of a file with these first bytes.

    Content decides. A file whose content says nothing, such as a damaged one, is what its name
    says. `head` has `HEAD_BYTES`, or the whole file. Raises UnsupportedMedia, with what it is, if
    it is neither photo nor recording.
    """
    suffix = path.suffix.lower()
    if sniff(head):
        return RECORDING
    if suffix in _PHOTO_SUFFIXES:
        return PHOTO
    from pipeline.photo.formats import identify  # every decoder: seldom needed

    try:
        identify(head)
    except UnsupportedMedia:
        if suffix in RECORDING.suffixes:
            return RECORDING
        raise
    return PHOTO


def other_product(path: PurePath) -> str | None:
    """Return the product that takes files of this name, if it is none that a run makes."""
    taken = (each.product for each in _ALL.values() if path.suffix.lower() in each.suffixes)
    return next((product for product in taken if product not in KINDS), None)


def routed(name: str, kind: Kind) -> str:
    """Return a key's last part that starts the kind's product, whatever the file's name ends in."""
    small = name.lower()
    for each in _ALL.values():
        for suffix in each.suffixes:
            if small.endswith(suffix):
                whole = f"{name[: -len(suffix)]}{suffix}"  # as a route spells it
                return whole if each is kind else f"{name}{_own_suffix(kind)}"
    return f"{name}{_own_suffix(kind)}" if kind.suffixes else name


def _own_suffix(kind: Kind) -> str:
    """Return a suffix that starts the kind's product: one that no other product takes."""
    return kind.suffixes[0] if kind.suffixes else f".{kind.noun}"
