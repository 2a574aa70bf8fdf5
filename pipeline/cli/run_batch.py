"""Process the files of one command in a local cloud, and print what becomes of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from pipeline.cli.interrupts import INTERRUPTED
from pipeline.cli.options import ROOT
from pipeline.cli.preconditions import require_scratch, require_writable
from pipeline.session.agreement import terms_of
from pipeline.session.choice import ModelChoice
from pipeline.session.media import KINDS, MODEL, PHOTO, RECORDING
from pipeline.session.run_messages import RunRequest

if TYPE_CHECKING:
    from pipeline.cli.contact_sheet import ContactSheet
    from pipeline.compute import Compute
    from pipeline.session.batch import MediaFile, Outcome
    from pipeline.session.collecting import Collection, Skipped
    from pipeline.session.run_messages import TranscriptProgress
    from pipeline.session.running_cloud import RunningCloud

COMPUTE: Final = "compute"  # the option
_WINDOW_BYTES: Final = 5_000_000  # what five minutes take as MP3 with 128 kbit/s


def run_batch(
    found: Collection,
    *,
    output: Path,
    choice: ModelChoice,
    options: Mapping[str, Mapping[str, str]],
    may_fail: Callable[[Outcome], bool] = lambda _: False,
) -> int:
    """Process the files, print what happened to each, and return the exit code.

    It is 0 if each file is done or may fail so. If interrupted, finished files are reported.
    """
    if found.skipped:
        _print_skipped(found.skipped)
    if not found.files and not found.lost:
        raise click.UsageError("no photos or recordings found in the given files and folders")
    _require_effect(choice, found.files)
    require_writable(output)
    require_scratch()
    batch = _Batch(found, output)
    if found.files:
        try:
            batch.run(choice, options)
        except KeyboardInterrupt:
            batch.interrupted = True
    return batch.report(may_fail)


class _Batch:
    """The files of one command, and what has become of them."""

    def __init__(self, found: Collection, output: Path) -> None:
        self._files = found.files
        self._lost = found.lost
        self._output = output
        self._outcomes: dict[MediaFile, Outcome] = {}
        self._sheet: ContactSheet | None = None
        self.interrupted = False

    def run(self, choice: ModelChoice, options: Mapping[str, Mapping[str, str]]) -> None:
        """Process the files in a local cloud."""
        from pipeline.session.batch import uploading
        from pipeline.session.cloud_for_run import cloud_for_run

        products = sorted({file.kind.product for file in self._files if file.kind})
        given = sorted({name for chosen in options.values() for name in chosen})
        named = {
            option: model
            for product, chosen in options.items()
            for option, model in KINDS[product].named_models(chosen).items()
        }
        request = RunRequest(terms_of(ROOT, choice), choice.name, products, given, named)
        with cloud_for_run(
            ROOT, choice, request, say=click.echo, calls_at_once=_calls_at_once(self._files)
        ) as cloud:
            options = _with_model(options, choice.name, cloud, products)
            options = _with_compute(options, choice.compute)
            files = list(self._without_models(cloud, given))
            with uploading(cloud, files, options=options) as batch:
                # Imported while the first files are in the cloud.
                from pipeline.cli.report import console, progress
                from pipeline.session.batch import Outcome

                photos = [file for file in files if file.kind is PHOTO]
                if photos:
                    from pipeline.cli.contact_sheet import ContactSheet

                    self._sheet = ContactSheet(photos, self._output)
                with progress(console(), files) as advance:

                    def on_progress(told: Outcome | TranscriptProgress) -> None:
                        if isinstance(told, Outcome):
                            self._outcomes[told.file] = told
                            if self._sheet and told.file.kind is PHOTO:
                                self._sheet.add(told)
                        advance(told)

                    batch.bring_home(self._output, on_progress)
                if not all(row.done for row in self._outcomes.values()) and cloud.disk_is_full():
                    full = f"The disk of {cloud.greeting.scratch} is full"
                    click.echo(f"{full}: set TMPDIR to a folder with more space.")

    def _without_models(self, cloud: RunningCloud, options: Sequence[str]) -> Iterator[MediaFile]:
        """Yield the files whose models can be had; note why not of the others."""
        from pipeline.session.batch import Outcome

        missing = cloud.models.missing
        for file in self._files:
            needed = file.kind.containers(options) if file.kind else ()
            why = next((missing[container] for container in needed if container in missing), None)
            if why is None:
                yield file
            else:
                self._outcomes[file] = Outcome(file, "FAILED", reason=why)

    def report(self, may_fail: Callable[[Outcome], bool]) -> int:
        """Print a row for each file and where the results are; return the exit code."""
        from pipeline.cli.report import console, print_homes, print_outcomes, print_short_text

        done = [self._outcomes[file] for file in self._files if file in self._outcomes]
        rows = [*self._lost, *done]
        print_outcomes(console(), rows)
        print_short_text(console(), rows)
        if self._sheet:
            self._sheet.finish()
            for line in (*self._sheet.troubles, *_where(self._sheet.pages, self._output)):
                click.echo(line)
        print_homes(console(), done, self._output)
        if self.interrupted:
            stopped, total = len(self._files) - len(done), len(self._files)
            click.echo(f"Interrupted: {stopped:,} of {total:,} files were not finished.")
            return INTERRUPTED
        return int(not all(row.done or may_fail(row) for row in rows))


def _with_model(
    options: Mapping[str, Mapping[str, str]],
    name: str | None,
    cloud: RunningCloud,
    products: Sequence[str],
) -> Mapping[str, Mapping[str, str]]:
    """Return the options with the model that the user named, for the product that takes it.

    Raises UsageError if the run makes no such product.
    """
    if name is None:
        return options
    container = cloud.models.container or ""
    takers = [product for product in products if KINDS[product].takes_model_of(container)]
    if not takers:
        made = " or ".join(KINDS[product].title for product in products)
        raise click.UsageError(
            f"--model {name}: it is not for {made}; `matteline models list` says what each is for"
        )
    return {
        **options,
        **{product: {**options.get(product, {}), MODEL: name} for product in takers},
    }


def _with_compute(
    options: Mapping[str, Mapping[str, str]], compute: Compute | None
) -> Mapping[str, Mapping[str, str]]:
    """Return the options with where models run, for the products that have a choice."""
    if compute is None:
        return options
    takers = [product for product, kind in KINDS.items() if kind.on_batch]
    return {
        **options,
        **{product: {**options.get(product, {}), COMPUTE: compute} for product in takers},
    }


def _require_effect(choice: ModelChoice, files: Sequence[MediaFile]) -> None:
    """Raise UsageError for --compute if no model of the run has the choice."""
    kinds = {file.kind for file in files if file.kind}
    if choice.compute and kinds and not any(kind.on_batch for kind in kinds):
        made = " and ".join(sorted(kind.title for kind in kinds))
        raise click.UsageError(f"--compute: models for {made} run in functions only")


def _calls_at_once(files: Sequence[MediaFile]) -> int:
    """Return about how many calls of one function the files make at a time.

    Each photo is one; each recording has as many windows as its size makes likely.
    """
    sizes = (file.path.stat().st_size if file.kind is RECORDING else 0 for file in files)
    return sum(1 + size // _WINDOW_BYTES for size in sizes)


def _print_skipped(skipped: Sequence[Skipped]) -> None:
    from pipeline.cli.report import print_skipped

    print_skipped(click.echo, skipped)


def _where(pages: Sequence[str], output: Path) -> Iterator[str]:
    """Yield a line that says where the results are; nothing without a contact sheet."""
    if pages:
        sheets = pages[0] if len(pages) == 1 else f"{pages[0]} to {pages[-1]}"
        yield f"Output images, output records and {sheets} are in {output}/"
