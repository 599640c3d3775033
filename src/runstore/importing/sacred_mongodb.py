"""Databases of Sacred's MongoObserver, read without Sacred: the collections ``runs`` and ``metrics``, and files in GridFS.

A document of ``runs`` is a run, called as its number. Its id is made of the experiment, the start and the number. Artifacts and
what the run printed come with it; for the rest see :mod:`.sacred_facts`.
"""

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any, BinaryIO, Final, NamedTuple, Self, cast

from bson.codec_options import CodecOptions, DatetimeConversion
from bson.errors import BSONError
from gridfs import GridFSBucket
from gridfs.errors import GridFSError
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import ConfigurationError, ConnectionFailure, PyMongoError

from runstore.errors import InvalidValueError, SettingsError, SourceError, StoreUnavailableError
from runstore.importing.facts import config_of, series_of
from runstore.importing.folding import fit_text
from runstore.importing.gathering import Spans, gathered
from runstore.importing.report import Findings, RunFindings, Told
from runstore.importing.sacred_facts import FORMAT, Metric, experiment_of, has_begun, metric_of, points_of, run_in
from runstore.importing.source import Source
from runstore.model import to_microseconds
from runstore.moving import ArrivingFile, ArrivingRun
from runstore.secrets import redact
from runstore.series import Columns, Series
from runstore.values.checks import check_artifact_name

_Document = dict[str, Any]

_RUNS: Final = "runs"
_METRICS: Final = "metrics"
_OURS: Final = "runstore_schema"
_OUTPUT: Final = "cout.txt"
"""What a run printed, as Sacred calls it in folders."""

_LONGEST_MS: Final = 10_000
_IS_RUN: Final = {"experiment.name": {"$exists": True}, "status": {"$exists": True}}
_FACTS: Final = (
    *("experiment.name", "status", "start_time", "stop_time", "heartbeat", "fail_trace", "host", "result", "command"),
    *("config", "artifacts", "captured_out"),
)
_OPTIONS: Final = CodecOptions(
    document_class=dict[str, Any],
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
    unicode_decode_error_handler="backslashreplace",
)


class _Kept(NamedTuple):
    """Where one observer has kept its runs."""

    runs: Collection[_Document]
    metrics: Collection[_Document]


class SacredDatabase(Source):
    """The runs in one database."""

    format = FORMAT

    def __init__(self, client: MongoClient[_Document], database: Database[_Document], shown: str) -> None:
        """Looks for runs.

        Raises:
            SourceError: there are none.
            StoreUnavailableError: the server cannot be reached.
        """
        self.shown = shown
        self._client = client
        self._database = database
        with _translated(shown):
            self._kept = list(self._found())

    @classmethod
    def of(cls, url: str) -> Self:
        """The source at a URL.

        Raises:
            SourceError: the database holds no runs of Sacred.
            SettingsError: the URL cannot be understood.
            StoreUnavailableError: the server cannot be reached.
        """
        shown = redact(url)
        options: dict[str, Any] = (
            {} if "serverselectiontimeoutms" in url.lower() else {"serverSelectionTimeoutMS": _LONGEST_MS}
        )
        try:
            client: MongoClient[_Document] = MongoClient(url, connect=False, appname="runstore import", **options)
        except (PyMongoError, ValueError, TypeError) as error:
            raise SettingsError(f"{shown}: is no URL of MongoDB: {redact(str(error))}") from error
        try:
            try:
                database = client.get_default_database(codec_options=_OPTIONS)
            except ConfigurationError as error:
                raise SourceError(
                    f"{shown}: names no database; Sacred's is called sacred where nobody said otherwise: mongodb://host/sacred"
                ) from error
            return cls(client, database, shown)
        except BaseException:
            client.close()
            raise

    def count(self) -> int:
        """How many runs there are."""
        with _translated(self.shown):
            return sum(kept.runs.count_documents({}) for kept in self._kept)

    def runs(self, findings: Findings) -> Iterator[ArrivingRun]:
        """Each run."""
        for kept in self._kept:
            # One by one, for a cursor that waits while a long run is brought is closed by the server.
            with _translated(self.shown):
                ids = [each["_id"] for each in kept.runs.find({}, {"_id": True}).sort("_id")]
            for run_id in ids:
                found = findings.of(str(run_id))
                try:
                    run = self._run(kept, run_id, found)
                except SourceError as error:
                    found.tell(Told.UNREADABLE, str(error))
                    continue
                if run is not None:
                    yield run

    def close(self) -> None:
        """Closes the connection."""
        self._client.close()

    def _found(self) -> Iterator[_Kept]:
        names = set(self._database.list_collection_names())
        if _OURS in names:
            raise SourceError(
                f"{self.shown}: is a store of runstore; its runs are brought by: runstore copy SOURCE TARGET"
            )
        held = 0
        for name in sorted(names):
            prefix = name.removesuffix(_RUNS)
            if prefix == name or (prefix and not prefix.endswith("_")):
                continue
            if self._database[name].find_one(_IS_RUN, {"_id": True}) is not None:
                held += 1
                yield _Kept(self._database[name], self._database[f"{prefix}{_METRICS}"])
        if not held:
            seen = ", ".join(sorted(names)[:5]) or "none"
            raise SourceError(
                f"{self.shown}: has no collection of Sacred's runs (found: {seen}); name the database in the URL: "
                "mongodb://host/sacred"
            )

    def _run(self, kept: _Kept, run_id: object, found: RunFindings) -> ArrivingRun | None:
        place = f"{self.shown}: the run {run_id!r:.100} of {kept.runs.name}"
        with _translated(place):
            document = kept.runs.find_one({"_id": run_id}, _FACTS)
        if document is None:  # it was removed in between
            return None
        output, config = document.pop("captured_out", None), document.pop("config", None)
        facts = cast("_Document", _plain(document))
        if not has_begun(facts, found):
            return None
        experiment = experiment_of(facts, found)
        spans = Spans()
        for metrics in self._metrics(kept, run_id, found, place):
            for key, step, _, _ in points_of(metrics):
                spans.take(key, step)
        name = str(run_id) if kept.runs.name == _RUNS else f"{kept.runs.name.removesuffix(f'_{_RUNS}')}/{run_id}"
        run = run_in(facts, found, experiment=experiment, name=name, source=self.shown, place=place)
        series = series_of(spans, found)
        start_us = to_microseconds(run.start_time)

        def pieces() -> Iterator[tuple[Series, Columns]]:
            # One metric after the other: Sacred keeps each in one document, of 16 MB at most.
            for metrics in self._metrics(kept, run_id, found, place):
                known = Spans({key: spans[key] for key in metrics if key in spans})
                yield from gathered(points_of(metrics), known, series, found, instead_us=start_us)

        return ArrivingRun(
            experiment=experiment,
            run=run,
            config=config_of(_plain_keys(config), found),
            pieces=pieces,
            files=lambda: self._files(document.get("artifacts"), output, found),
        )

    def _metrics(self, kept: _Kept, run_id: object, found: RunFindings, place: str) -> Iterator[Mapping[str, Metric]]:
        with _translated(place):
            ids = [each["_id"] for each in kept.metrics.find({"run_id": run_id}, {"_id": True}).sort("name")]
        for each in ids:
            with _translated(place):
                document = kept.metrics.find_one({"_id": each})
            if document is not None:
                key = fit_text(str(document.get("name")))
                yield {key: metric_of(key, document, found, place=place)}

    def _files(self, artifacts: object, output: object, found: RunFindings) -> Iterator[ArrivingFile]:
        listed = [each for each in artifacts if isinstance(each, dict)] if isinstance(artifacts, list) else []
        named = {str(each.get("name")): each.get("file_id") for each in listed}  # of two of one name the later one
        for name, file_id in named.items():
            try:
                checked = check_artifact_name(name)
                with _translated(f"{self.shown}: the file {file_id!r:.100}"):
                    record = self._database["fs.files"].find_one({"_id": file_id})
            except (InvalidValueError, SourceError) as error:
                found.tell(Told.FILE_LEFT_OUT, str(error), key=name)
                continue
            if record is None:
                found.tell(Told.FILE_LEFT_OUT, "its bytes are not in the database", key=name)
                continue
            added, size = record.get("uploadDate"), record.get("length")
            yield ArrivingFile(
                name=checked,
                created_at=added.replace(tzinfo=UTC) if isinstance(added, datetime) else None,
                open=partial(self._open, file_id),
                size=size if isinstance(size, int) else None,
            )
        if isinstance(output, str) and output and _OUTPUT not in named:
            data = fit_text(output).encode()
            yield ArrivingFile(name=_OUTPUT, open=lambda: io.BytesIO(data), size=len(data))

    def _open(self, file_id: object) -> BinaryIO:
        place = f"{self.shown}: the file {file_id!r:.100}"
        with _translated(place):
            stored = GridFSBucket(self._database).open_download_stream(file_id)
            return cast("BinaryIO", io.BufferedReader(_Bytes(stored, place)))


class _Bytes(io.RawIOBase):
    """The bytes of a file in GridFS; what fails is told in our words."""

    def __init__(self, stored: Any, place: str) -> None:
        self._stored = stored
        self._place = place

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with _translated(self._place):
            data: bytes = self._stored.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


@contextmanager
def _translated(place: str) -> Iterator[None]:
    try:
        yield
    except ConnectionFailure as error:
        raise StoreUnavailableError(f"{place}: the server cannot be reached: {redact(str(error))[:500]}") from error
    except (PyMongoError, GridFSError, BSONError) as error:
        raise SourceError(f"{place}: cannot be read: {redact(str(error))[:500]}") from error


def _plain(value: Any) -> Any:
    """A value of BSON as JSON has it: ids and the like are texts, and so are times."""
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _plain_keys(config: object) -> dict[str, Any]:
    return cast("dict[str, Any]", _plain(config)) if isinstance(config, dict) else {}
