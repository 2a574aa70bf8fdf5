"""Define the options of each product on the command line, and read them as its contract does."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, get_args

import click

from pipeline.cli.options import Word, prompt_metadata
from pipeline.contracts.cutout_words import Effort, PictureFormat, Refine
from pipeline.contracts.faces_words import Redaction
from pipeline.contracts.transcript_words import DenoisedFormat, Language
from pipeline.session.media import KINDS, Kind

POINT_HELP: Final = "Point on the subject (`,0`: background), in pixels or 0–1; repeatable."
BOX_HELP: Final = "Box around a subject, in pixels or 0–1; repeat it for several subjects."
OPTIONS: Final = {
    "cutout": (
        click.Option(
            ["--refine"], type=Word(get_args(Refine)), help="Edge refinement [default: auto]."
        ),
        click.Option(
            ["--format"],
            type=Word(get_args(PictureFormat)),
            help="Output format; jpeg needs a --background [default: png].",
        ),
        click.Option(
            ["--effort"],
            type=Word(get_args(Effort)),
            help="Compression; `small` makes smaller files, more slowly [default: fast].",
        ),
        click.Option(
            ["--background"],
            metavar="#RRGGBB[AA]",
            help="Colour behind the subject [default: transparent].",
        ),
        click.Option(["--crop"], is_flag=True, help="Crop to the subject."),
        click.Option(
            ["--margin"],
            metavar="PERCENT",
            help="Margin around a crop, in percent of the subject's longer side [default: 0].",
        ),
        click.Option(
            ["--size"],
            metavar="PIXELS",
            help="Most pixels on the longer side of every output image [default: the photo's own].",
        ),
        click.Option(
            ["--outputs"],
            metavar="LIST",
            help="Any of cutout, mask and preview, separated by commas [default: cutout].",
        ),
        click.Option(["points", "--point"], metavar="X,Y[,0]", multiple=True, help=POINT_HELP),
        click.Option(["boxes", "--box"], metavar="X0,Y0,X1,Y1", multiple=True, help=BOX_HELP),
    ),
    "transcript": (
        click.Option(
            ["--language"],
            type=Word(get_args(Language)),
            metavar="CODE",
            help="Language that is spoken, such as de [default: detected].",
        ),
        click.Option(["--translate"], is_flag=True, help="Write English, whatever is spoken."),
        click.Option(
            ["--prompt"],
            metavar="TEXT",
            help="Names and words that occur, to have them spelled right.",
        ),
        click.Option(
            ["--align"], metavar="NAME", help="Model that times words more exactly [default: none]."
        ),
        click.Option(["--denoise"], is_flag=True, help="Write the recording without noise too."),
        click.Option(
            ["--attenuation-db"],
            metavar="DB",
            help="Most that denoising takes away, such as 12 for archives [default: 100, all].",
        ),
        click.Option(
            ["--denoised-format"],
            type=Word(get_args(DenoisedFormat)),
            help="Format of the denoised recording [default: flac].",
        ),
        click.Option(
            ["--transcribe-denoised"], is_flag=True, help="Transcribe the denoised recording."
        ),
        click.Option(["--diarize"], is_flag=True, help="Find out who speaks when."),
        click.Option(
            ["--speakers"], metavar="N", help="How many people speak, 1–20 [default: estimated]."
        ),
        click.Option(["--least-speakers"], metavar="N", help="Least number of people who speak."),
        click.Option(["--most-speakers"], metavar="N", help="Greatest number of people who speak."),
        click.Option(
            ["--speaker-model"],
            metavar="NAME",
            help="Model that tells speakers apart (`matteline models list`).",
        ),
        click.Option(
            ["--hop-s"],
            metavar="SECONDS",
            help="Time between chunks searched for speakers, 0.25–5; more is faster [default: 1].",
        ),
        click.Option(
            ["--name-speakers"], is_flag=True, help="Write speakers into .srt and .txt also."
        ),
        click.Option(["--tags"], is_flag=True, help="Name the sounds, such as music, and when."),
        click.Option(
            ["--tag-model"],
            metavar="NAME",
            help="Model that names sounds (`matteline models list`).",
        ),
        click.Option(
            ["--most-tags"],
            metavar="N",
            help="Labels listed for the whole recording, 1–50 [default: 10].",
        ),
        click.Option(
            ["--concurrency"],
            metavar="WINDOWS",
            help="Windows of five minutes that are transcribed at a time [default: 5].",
        ),
    ),
    "faces": (
        click.Option(
            ["--attributes"],
            metavar="LIST",
            help="Estimates for each face: any of age_gender and expressions [default: none].",
        ),
        click.Option(
            ["--min-score"],
            metavar="SCORE",
            help="Least score of a face that is listed, 0.05–1 [default: 0.5].",
        ),
        click.Option(
            ["--max-faces"], metavar="N", help="Most faces that are listed, 1–500 [default: 100]."
        ),
        click.Option(
            ["--small-faces"], is_flag=True, help="Also search the photo in parts; takes longer."
        ),
        click.Option(["--preview"], is_flag=True, help="Draw the faces into a copy of the photo."),
        click.Option(
            ["--redact"],
            type=Word(get_args(Redaction)),
            help="Hide the faces in a copy of the photo, without its metadata.",
        ),
        click.Option(
            ["--embed"], is_flag=True, help="Write a vector of each large and clear face."
        ),
        click.Option(
            ["--embedder"],
            metavar="NAME",
            help="Model that makes the vectors (`matteline models list`).",
        ),
    ),
}  # fmt: skip
# Click has checked them, and they contradict nothing.
_ALWAYS_VALID: Final = {
    *("refine", "crop", "prompts"),
    *("language", "translate", "denoise", "diarize", "tags"),
    *("small_faces", "preview", "redact", "embed"),
}


class MediaCommand(click.Command):
    """A command whose help lists the options of each of its products by themselves."""

    def __init__(
        self,
        *,
        params: list[click.Parameter],
        products: Sequence[str] = tuple(OPTIONS),
        **settings: Any,
    ) -> None:
        self._options = {product: OPTIONS[product] for product in products}
        media = [option for options in self._options.values() for option in options]
        super().__init__(params=[*params, *media], **settings)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what is common first."""
        media = {option for options in self._options.values() for option in options}
        options = [each for each in self.get_params(ctx) if isinstance(each, click.Option)]
        parts = {"Options": [each for each in options if each not in media]} | {
            f"Options for {KINDS[product].title}": list(own)
            for product, own in self._options.items()
        }
        for title, part in parts.items():
            rows = [row for option in part if (row := option.get_help_record(ctx))]
            with formatter.section(title):
                formatter.write_dl(rows)


def options_by_product(chosen: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return the options that the user gave as text, by product; none of a product without any.

    Raises UsageError if one is invalid, or if two contradict each other.
    """
    read = {
        product: option_metadata(
            product, {name: chosen.get(name) for option in options if (name := str(option.name))}
        )
        for product, options in OPTIONS.items()
    }
    return {product: texts for product, texts in read.items() if texts}


def require_effect(options: Mapping[str, Mapping[str, str]], kinds: Collection[Kind]) -> None:
    """Raise UsageError for options of a product that no file of the run becomes."""
    for product in options.keys() - {kind.product for kind in kinds}:
        names = ", ".join(sorted({_flag(name) for name in options[product]}))
        noun = KINDS[product].noun
        if noun in {kind.noun for kind in kinds} or KINDS[product].on_request:
            raise click.UsageError(f"{names}: only --product {product} has that")
        raise click.UsageError(f"{names}: only a {noun} has that, and no {noun} was given")


def option_metadata(product: str, chosen: Mapping[str, Any]) -> dict[str, str]:
    """Return the chosen options of a product as object metadata.

    Raises UsageError if one is invalid, or if two contradict each other.
    """
    points, boxes = chosen.get("points") or (), chosen.get("boxes") or ()
    given = {name: value for name, value in chosen.items() if value not in {None, False, ()}}
    texts = {
        name: "true" if value is True else str(value)
        for name, value in given.items()
        if name not in {"points", "boxes"}
    } | prompt_metadata(points, boxes)
    if not texts.keys() - _ALWAYS_VALID:
        return texts
    from pydantic import ValidationError

    from pipeline.contracts.contract import read_product_contract
    from pipeline.contracts.written import problems, read_text

    kind = read_product_contract(product).options
    typed = {name: read_text(kind, name, text) for name, text in texts.items()}
    try:
        options = kind.model_validate({"model": "unnamed", **typed})
    except ValidationError as error:
        wrong = [
            f"{_flag(problem.field.partition('.')[0])}: {problem.sentence}"
            for problem in problems(error, kind)
        ]
        raise click.UsageError("; ".join(wrong)) from error
    if contradictions := [
        f"{_flag(found.option)} {'contradicts' if found.other in texts else 'needs'}"
        f" {_flag(found.other)}: {found.why}"
        for found in options.contradictions()
    ]:
        raise click.UsageError("; ".join(contradictions))
    return texts


def _flag(name: str) -> str:
    """Return an option as people type it; points and boxes travel as one option."""
    return "--point or --box" if name == "prompts" else f"--{name.replace('_', '-')}"
