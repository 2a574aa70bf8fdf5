"""Fetch, test and publish weights; the staged weights record is written last."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from containers.model_downloader.claim import claimed
from containers.model_downloader.intake import Intake, receiving
from containers.model_downloader.kept import kept_record, passed_before
from containers.model_downloader.optimiser import KEY_DIGITS, Optimiser, Outcome
from containers.model_downloader.pace import Pace
from containers.model_downloader.sources import Sources
from containers.model_downloader.web import Web
from containers.model_downloader.working_network import (
    Answers,
    passed_trial,
    require_working_network,
)
from pipeline.artifacts import Artifact, ArtifactStore, Location
from pipeline.aws.secrets import SecretsManager
from pipeline.contracts.weights import StageWeights, WeightsStaged
from pipeline.declared.engines import EngineFile
from pipeline.declared.models import ModelRow, PublishedFile, WeightsFile
from pipeline.errors import InvalidOptions, WeightsMismatch
from pipeline.model_context import catalogue_of
from pipeline.weights.local_weights import checksums
from pipeline.weights.proxies import Proxies
from pipeline.weights.staged import (
    ConvertedNetwork,
    CutNetwork,
    NamedArtifact,
    PassedTrial,
    StagedFile,
    StagedManifest,
    StagedWeights,
    StreamNetwork,
)
from pipeline.workbench import TaskContext

if TYPE_CHECKING:
    from containers.model_downloader.conversion.converters import Converted


@dataclass(frozen=True)
class Staging:
    """The staging of one model in `bucket`, through the folder `scratch`.

    `scratch` must hold the model's files and, for one network at a time, its optimised forms.
    """

    row: ModelRow
    bucket: str
    store: ArtifactStore
    sources: Sources
    scratch: Path
    pace: Pace
    optimiser: Optimiser

    @classmethod
    def of(cls, job: StageWeights, context: TaskContext) -> Staging:
        """Return the staging of the job's model, with the settings and the store of the context.

        Raises UnknownModel or LicenseNotAccepted.
        """
        row = catalogue_of(context.bench).usable(job.model)
        settings, store = context.settings, context.store
        web = Web(Proxies.from_environment(settings.environment))
        sources = Sources(
            settings.weights_mirror, row.weights_prefix, web, store, SecretsManager(),
            settings.packages,
        )  # fmt: skip
        pace = Pace.ending(context.ends_at)
        optimiser = Optimiser(
            store, settings.memory_mb, pace.seconds_left, settings.kept,
            settings.threads_with(row.memory_mb),
        )  # fmt: skip
        return cls(row, job.models_bucket, store, sources, settings.scratch, pace, optimiser)

    def run(self, *, force: bool) -> WeightsStaged:
        """Stage the model, unless it is staged already and `force` is False.

        Raises WeightsClaimed while another execution stages it, and InvalidOptions for a hosted
        model, which has no weights. A failed attempt leaves no claim, no partial file, and earlier
        weights unchanged.
        """
        if self.row.hosted:
            raise InvalidOptions(f"{self.row.name} is a hosted model: it has no weights to stage")
        there = None if force else self._staged()
        if there is None:
            # Checked again with the claim: the previous holder may have staged it.
            with claimed(self.store, Location(self.bucket, self.row.claim_key)):
                there = None if force else self._staged()
                if there is None:
                    files = self._stage_files(force=force)
                    return self._told(self._write_manifest(files), already=False)
        return self._told(there, already=True)

    def _stage_files(self, *, force: bool) -> tuple[StagedFile, ...]:
        """Fetch, verify and test all files, then publish them.

        A network that passed the same trial on this machine is not tried again, unless `force`.
        """
        pinned = self._pinned()
        self.scratch.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            scratch = tempfile.TemporaryDirectory(dir=self.scratch, prefix="staging-")
            folder = Path(stack.enter_context(scratch))
            intakes = {
                file: stack.enter_context(self._receiving(file, folder))
                for file in self.row.published
            }
            origins = {
                file: self.sources.fetch(file, one, recorded=bool(pinned[file.name]))
                for file, one in intakes.items()
            }
            for file, intake in intakes.items():
                _require_pinned(pinned[file.name], intake, origins[file])
            arrived = [_arrived(file, intakes, origins) for file in self.row.files]
            trial = passed_trial(self.row) if self.optimiser.kept else None
            tried: Answers = {}
            if force or not self._passed_before(trial, arrived):
                paths = [each.network for each in arrived]
                tried = require_working_network(self.row, paths, self.optimiser.allowed_mb)
            return tuple(self._publish(each, tried, trial) for each in arrived)

    def _receiving(self, file: PublishedFile, folder: Path) -> AbstractContextManager[Intake]:
        return receiving(file, folder, self.store, self._place(file.name), pace=self.pace)

    def _passed_before(self, trial: PassedTrial | None, arrived: Sequence[_Arrived]) -> bool:
        """Return True if these networks passed this trial, and nothing else needs its answers."""
        if trial is None or any(role.cut or role.stream for role in self.row.engine.files):
            return False
        networks = {each.file.name: checksums(each.network)["sha256"] for each in arrived}
        return any(
            passed_before(record, trial, networks) for record in self._kept_records().values()
        )

    def _publish(self, arrived: _Arrived, tried: Answers, trial: PassedTrial | None) -> StagedFile:
        file, intake, path = arrived.file, arrived.intake, arrived.network
        role = self.row.role(file.name)
        outcome = (
            Outcome(not_optimised="it is run in its streaming form")
            if role.stream
            else self.optimiser.optimise(path, file.name, self.row, self._place)
        )
        artifact = self._artifact(intake, file.name)
        manifest = self._publish_manifest(arrived.manifest)
        converted = self._publish_converted(arrived.converted, artifact, manifest)
        network = converted.file.artifact if converted else artifact
        cut = self._publish_cut(path, role, network, tried) if role.cut else {}
        stream = self._publish_stream(path, role, network, tried) if role.stream else {}
        intake.publish()
        return StagedFile(
            name=file.name,
            digest=file.digest,
            source=arrived.source,
            artifact=artifact,
            manifest=manifest,
            converted=converted,
            trial=trial,
            **outcome._asdict(),
            **cut,
            **stream,
        )

    def _artifact(self, intake: Intake, name: str) -> Artifact:
        sha256 = intake.checksums["sha256"]
        return Artifact(uri=self._place(name).uri, sha256=sha256, bytes=intake.received)

    def _publish_manifest(self, arrived: _Manifest | None) -> StagedManifest | None:
        if arrived is None:
            return None
        arrived.intake.publish()
        return StagedManifest(
            name=arrived.file.name,
            digest=arrived.file.digest,
            source=arrived.source,
            artifact=self._artifact(arrived.intake, arrived.file.name),
        )

    def _publish_converted(
        self, converted: Converted | None, published: Artifact, manifest: StagedManifest | None
    ) -> ConvertedNetwork | None:
        """Publish the network that a published file was converted to, if it was."""
        if converted is None:
            return None
        file = NamedArtifact(name=converted.path.name, artifact=self._upload_made(converted.path))
        return ConvertedNetwork(
            source_sha256=published.sha256,
            manifest_sha256=manifest.artifact.sha256 if manifest else None,
            converter=converted.converter,
            version=converted.version,
            file=file,
        )

    def _publish_cut(
        self, path: Path, role: EngineFile, network: Artifact, tried: Answers
    ) -> dict[str, Any]:
        """Publish the network's cut form; return the fields that its staged file has for it.

        A network that enlarges nothing is its own: nothing more is published.
        """
        # onnx loads only if a network is to be cut.
        from containers.model_downloader.cutting import NotCut, cut_network  # noqa: PLC0415

        try:
            cut = cut_network(path, role, self.row.table, tried)
        except NotCut as error:
            return {"not_cut": str(error)}
        artifact = network if cut.path == path else self._upload_made(cut.path)
        made = CutNetwork(
            source_sha256=network.sha256,
            proof=cut.proof,
            file=NamedArtifact(name=cut.path.name, artifact=artifact),
        )
        return {"cut": made}

    def _publish_stream(
        self, path: Path, role: EngineFile, network: Artifact, tried: Answers
    ) -> dict[str, Any]:
        """Publish the streaming network; return what its staged file says of it."""
        # onnx loads only if a network is to be streamed.
        from containers.model_downloader.streaming import stream_network  # noqa: PLC0415
        from containers.model_downloader.streaming_proof import NotStreamed  # noqa: PLC0415

        try:
            stream = stream_network(path, role, self.row.table, tried)
        except NotStreamed as error:
            return {"not_streamed": str(error)}
        made = StreamNetwork(
            source_sha256=network.sha256,
            states=stream.states,
            proof=stream.proof,
            file=NamedArtifact(name=stream.path.name, artifact=self._upload_made(stream.path)),
        )
        return {"stream": made}

    def _upload_made(self, path: Path) -> Artifact:
        sha256 = checksums(path)["sha256"]
        place = self._place(f"{sha256[:KEY_DIGITS]}/{path.name}")
        return self.store.upload(path, place, sha256=sha256)

    def _write_manifest(self, files: tuple[StagedFile, ...]) -> Artifact:
        weights = StagedWeights(model=self.row.name, licence=self.row.licence, files=files)
        content = weights.model_dump_json(indent=2).encode()
        return self.store.write(self._manifest, content, media_type="application/json")

    def _staged(self) -> Artifact | None:
        """Return the staged weights record, or None."""
        try:
            content = self.store.read(self._manifest)
        except KeyError:
            return None
        sha256 = hashlib.sha256(content).hexdigest()
        return Artifact(uri=self._manifest.uri, sha256=sha256, bytes=len(content))

    def _pinned(self) -> dict[str, dict[str, str]]:
        """Return the SHA-256 that each file must have, by the record that says so, by file name.

        That is the record of an earlier staging. Where the publisher states no digest, the record
        that this machine keeps counts, too: the bucket of a local cloud is new each time.
        """
        records, kept = self._records(), self._kept_records()
        return {
            file.name: _sha256_in(records if file.digest else {**records, **kept}, file.name)
            for file in self.row.published
        }

    def _records(self) -> dict[str, StagedWeights]:
        uri = self._manifest.uri
        try:
            content = self.store.read(self._manifest)
        except KeyError:
            return {}
        return {uri: StagedWeights.parse(content, uri=uri)}

    def _kept_records(self) -> dict[str, StagedWeights]:
        folder = self.optimiser.kept
        record = kept_record(folder, self.row) if folder else None
        return {str(folder): record} if record else {}

    def _told(self, manifest: Artifact, *, already: bool) -> WeightsStaged:
        return WeightsStaged(model=self.row.name, manifest=manifest, already_staged=already)

    @property
    def _manifest(self) -> Location:
        return Location(self.bucket, self.row.weights_key)

    def _place(self, name: str) -> Location:
        return Location(self.bucket, f"{self.row.weights_prefix}/{name}")


class _Manifest(NamedTuple):
    """A fetched manifest, which goes with a fetched file."""

    file: PublishedFile
    intake: Intake
    source: str


@dataclass(frozen=True)
class _Arrived:
    """A fetched file, its manifest, and its network: the file, or what it was converted to."""

    file: WeightsFile
    intake: Intake
    source: str
    manifest: _Manifest | None
    converted: Converted | None

    @property
    def network(self) -> Path:
        return self.converted.path if self.converted else self.intake.path


def _arrived(
    file: WeightsFile,
    intakes: Mapping[PublishedFile, Intake],
    origins: Mapping[PublishedFile, str],
) -> _Arrived:
    """Convert the file if its row says so. Raises WeightsMismatch if it cannot be converted."""
    intake, described = intakes[file], file.manifest
    manifest = _Manifest(described, intakes[described], origins[described]) if described else None
    converted = None
    if file.convert is not None:
        # onnx loads only if a file is to be converted.
        from containers.model_downloader.conversion.converters import convert  # noqa: PLC0415

        beside = manifest.intake.path if manifest else None
        converted = convert(intake.path, file.convert, beside)
    return _Arrived(file, intake, origins[file], manifest, converted)


def _sha256_in(records: Mapping[str, StagedWeights], name: str) -> dict[str, str]:
    """Return the SHA-256 of the file called `name` in each record that has it."""
    return {
        place: file.artifact.sha256
        for place, record in records.items()
        for file in record.published
        if file.name == name
    }


def _require_pinned(pinned: Mapping[str, str], intake: Intake, source: str) -> None:
    """Raise WeightsMismatch if a record has another SHA-256 of the file."""
    sha256 = intake.checksums["sha256"]
    for place, before in pinned.items():
        if before != sha256:
            raise WeightsMismatch(
                f"{source} has sha256 {sha256}; {before} was staged before and is pinned by {place}"
            )
