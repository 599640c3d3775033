"""From a source to the data of a training, by one way for every command: what ``check`` says is what ``fit`` does."""

import dataclasses
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from pneumo_train.cache import cache_folder, load_cached
from pneumo_train.config.data import DataConfig
from pneumo_train.config.settings import TrainConfig
from pneumo_train.errors import ConfigError, UnreadableError
from pneumo_train.images.films import Films
from pneumo_train.preparing.divisions import divisions_of, require_levels
from pneumo_train.preparing.headers import advice_of, cut_notes, header_notes, with_headers
from pneumo_train.preparing.leaks import Leaks, find_leaks, leak_notes, refuse_leaks
from pneumo_train.samples import Sample, Split
from pneumo_train.sources.labels import Labels
from pneumo_train.sources.patients import patient_notes, twin_notes
from pneumo_train.sources.rows import patient_column, read_samples, read_table, used_rows
from pneumo_train.sources.source import Source, open_source
from pneumo_train.sources.table import Table
from pneumo_train.splitting.by_patient import split_samples
from pneumo_train.splitting.split_file import take_split
from pneumo_train.terminal import Track

_ONE_PIXEL_SIDE = 32
"""Up to this side, a ResNet's last layers see one pixel an image."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DecodedSplit:
    """The images of a split.

    Attributes:
        train: the images for training.
        validation: the images for validation.
        test: the images of the test part and the hash of all of them, if there is one.
        leaks: what lies in two parts.
        data_hash: SHA-256 (hex) of the ids, labels, patients and file contents of the first two.
        notes: what a person should look at, though it is no error.
    """

    train: Films
    validation: Films
    test: tuple[Films, str] | None
    leaks: Leaks
    data_hash: str
    notes: tuple[str, ...]

    def __len__(self) -> int:
        """The number of images for training and validation."""
        return len(self.train) + len(self.validation)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A source whose table was read and split; its images are decoded by :meth:`decode`.

    Attributes:
        source: the directory or the unpacked zip.
        patient_column: the column that said whose image it is.
        samples: one for each image of the table.
        split: what is for training and what for validation; empty when nothing was to be split.
        notes: what a person should look at, though it is no error.
        table: the rows themselves.
        config: what was asked for; the columns of this source are those of ``source.config``.
    """

    config: TrainConfig
    source: Source
    patient_column: str
    samples: tuple[Sample, ...]
    split: Split
    notes: tuple[str, ...]
    table: Table

    def part(self, name: str) -> tuple[Sample, ...]:
        """The samples of a part: ``all``, ``train``, ``validation``, or ``test``, given or drawn."""
        if name == "all":
            return self.samples
        samples: tuple[Sample, ...] = getattr(self.split, name)
        return samples

    def divided(self, *, one_class: bool = False) -> "Reading":
        """The same with its split.

        Args:
            one_class: whether a part may hold one class only, as that of a hospital among others.

        Raises:
            DataError: the samples cannot be split as configured.
            ConfigError: an option does not go with this data.
        """
        data = self.source.config
        samples = take_split(self.samples, data.split_file) if data.split_file else self.samples
        origin = str(self.source.csv_path)
        split = split_samples(samples, data, seed=self.config.seed, origin=origin, one_class=one_class)
        _require_batches(self.config)
        notes = self.notes
        if cut := cut_notes(samples, split, self.table, data):
            may_be_cut = header_notes(samples, self.table, data)
            notes = (*(note for note in notes if note not in may_be_cut), *cut)
        return dataclasses.replace(self, samples=tuple(samples), split=split, notes=notes)

    def divisions(self, samples: Sequence[Sample]) -> Mapping[str, tuple[str | None, ...]]:
        """What samples can be divided by, as :func:`pneumo_train.preparing.divisions.divisions_of` finds it."""
        return divisions_of(self.table, self.source.config.image_column, samples)

    def decode_part(self, samples: Sequence[Sample], *, track: Track = iter) -> tuple[Films, str]:
        """The images of some samples, each decoded once, and the SHA-256 (hex) of ids, labels, patients and contents.

        Raises:
            ConfigError: there is no memory for them.
            DataError: images cannot be read.
        """
        return _decoded(samples, self.config.data, track)

    def decode(self, *, track: Track = iter) -> DecodedSplit:
        """The images of every part, each decoded once.

        Raises:
            ConfigError: there is no memory for them.
            DataError: images cannot be read, or lie in two parts and may not.
        """
        wanted = [*self.split.train, *self.split.validation]
        films, digest = self._decode_before_test(wanted, track)
        count = len(self.split.train)
        train, validation = films.part(0, count), films.part(count, len(wanted))
        test = self.decode_part(self.split.test, track=track) if self.split.test else None
        leaks = find_leaks({"train": train, "validation": validation, **({"test": test[0]} if test else {})})
        if self.config.data.equal_images == "refuse":
            refuse_leaks(leaks)
        return DecodedSplit(
            train=train,
            validation=validation,
            test=test,
            leaks=leaks,
            data_hash=digest,
            notes=(*twin_notes(wanted, films.hashes, self.split.validation), *leak_notes(leaks)),
        )

    def _decode_before_test(self, wanted: Sequence[Sample], track: Track) -> tuple[Films, str]:
        """The images that training sees; where some cannot be read, those of the test part are looked at for the same error."""
        try:
            return self.decode_part(wanted, track=track)
        except UnreadableError as error:
            try:
                if self.split.test:
                    self.decode_part(self.split.test, track=track)
            except UnreadableError as other:
                raise UnreadableError(
                    f"{error}; of the test part, {other}", files=(*error.files, *other.files)
                ) from error
            raise


@contextmanager
def read_source(path: str | os.PathLike[str], config: TrainConfig, *, is_split: bool = True) -> Iterator[Reading]:
    """The table of a source, read and split, as long as the block lasts.

    Args:
        path: a directory or a zip.
        config: what to read, and how to split it.
        is_split: whether the samples are to be split; for an evaluation of all of them they are not.

    Raises:
        SourceError: the source holds no table or no images.
        DataError: the table cannot be trained on.
        ConfigError: an option does not go with this data.
    """
    with open_source(path, config.data) as source:
        data = source.config
        table = read_table(
            source,
            data,
            extended=lambda table: with_headers(table, source, data.image_column),
            advice=lambda column: advice_of(column, source),
        )
        samples = read_samples(source, data, table)
        require_levels(table, data.image_column, samples)
        of_patients = header_notes(samples, table, data) or patient_notes(samples, table, source.tables, data)
        reading = Reading(
            config=config,
            source=source,
            patient_column=patient_column(table, data),
            samples=tuple(samples),
            split=Split(train=(), validation=()),
            notes=(*source.notes, *Labels(used_rows(table, data), data).notes(), *of_patients),
            table=table,
        )
        yield reading.divided() if is_split else reading


def _decoded(samples: Sequence[Sample], data: DataConfig, track: Track) -> tuple[Films, str]:
    try:
        return load_cached(
            samples, size=data.image_size, cache_mib=data.cache_mib, folder=cache_folder(data), track=track
        )
    except MemoryError as error:
        raise ConfigError(
            f"data.cache_mib = {data.cache_mib}: there is no memory for {len(samples):,} images of {data.image_size} x "
            f"{data.image_size} pixels; give less, and they are decoded when they are needed"
        ) from error


def _require_batches(config: TrainConfig) -> None:
    """Refuses batches from which batch normalisation would see one value."""
    model, training = config.model, config.training
    learns_statistics = not model.freeze_backbone or model.fine_tune_layers > 0
    if training.batch_size == 1 and config.data.image_size <= _ONE_PIXEL_SIDE and learns_statistics:
        raise ConfigError(
            f"training.batch_size = 1: batch normalisation cannot learn from one image of {config.data.image_size} pixels; "
            f"give 2 or more, or a data.image_size above {_ONE_PIXEL_SIDE}"
        )
