"""YAML, of which no tag makes an object: ``meta.yaml`` of MLflow, of which plain values are read, and ``hparams.yaml``."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from runstore.errors import MissingDriverError, SourceError
from runstore.importing.source import MOST_TEXT, bytes_of

_MOST_BYTES: Final = 64 * 1024
_MOST_DEPTH: Final = 16
_MOST_VALUES: Final = 100_000
_PLAIN: Final = (str, int, float, bool)


def read_meta(path: Path, *needed: str) -> dict[str, Any]:
    """The plain values by their names; what is nested is left out.

    No tag makes an object, and no alias multiplies what was written once.

    Args:
        path: of the file.
        needed: the names that MLflow always writes: a file without one was cut off.

    Raises:
        SourceError: this is no such file; names the line.
        MissingDriverError: PyYAML is not installed.
    """
    try:
        import yaml  # noqa: PLC0415 - for these files alone
    except ImportError as error:
        raise MissingDriverError(
            "to read the files meta.yaml of MLflow takes PyYAML, which is not installed; "
            'install it: pip install "runstore[import]"'
        ) from error

    begins = (
        yaml.BlockMappingStartToken, yaml.BlockSequenceStartToken, yaml.FlowMappingStartToken, yaml.FlowSequenceStartToken,
    )  # fmt: skip
    ends = (yaml.BlockEndToken, yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken)
    data = bytes_of(path, _MOST_BYTES)
    with _told(yaml, path, "is no YAML as MLflow writes it"):
        depth = 0
        for token in yaml.scan(data.decode(), Loader=yaml.SafeLoader):
            line = token.start_mark.line + 1
            if isinstance(token, (yaml.AliasToken, yaml.AnchorToken, yaml.TagToken)):
                kind = type(token).__name__.removesuffix("Token").lower()
                raise SourceError(f"{path}:{line}: has {'a' if kind == 'tag' else 'an'} {kind}, and MLflow writes none")
            depth += isinstance(token, begins) - isinstance(token, ends)
            if depth > _MOST_DEPTH:  # to read on would take a time that grows with the square of the depth
                raise SourceError(f"{path}:{line}: is nested over {_MOST_DEPTH} levels deep, and MLflow nests two")
        meta = yaml.safe_load(data)
    if not isinstance(meta, dict):
        raise SourceError(f"{path}: is empty or cut off; MLflow writes one line for each fact, such as 'status: 3'")
    missing = [name for name in needed if name not in meta]
    if missing:
        raise SourceError(f"{path}: has no line for {' and '.join(missing)}, so it is cut off")
    return {key: value for key, value in meta.items() if isinstance(key, str) and isinstance(value, _PLAIN)}


def read_settings(path: Path) -> dict[str, Any]:
    """The values of a file ``hparams.yaml`` of Lightning by their names.

    A tuple is a list, and of an object what stands in it. A list that is written once and named again is each time the same one.

    Raises:
        SourceError: this is no such file; names the line.
        MissingDriverError: PyYAML is not installed.
    """
    try:
        import yaml  # noqa: PLC0415 - for these files alone
    except ImportError as error:
        raise MissingDriverError(
            "to read the files hparams.yaml of Lightning takes PyYAML, which is not installed; "
            'install it: pip install "runstore[import]"'
        ) from error

    loader = _loader(yaml)
    data = bytes_of(path, MOST_TEXT)
    with _told(yaml, path, "is no YAML"):
        depth = 0
        for event in yaml.parse(data.decode(), Loader=loader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _MOST_DEPTH:
                line = event.start_mark.line + 1 if event.start_mark else 1
                raise SourceError(f"{path}:{line}: is nested over {_MOST_DEPTH} levels deep")
        settings = yaml.load(data, Loader=loader)  # noqa: S506 - of which no tag makes an object
        plain = _plain(settings, [_MOST_VALUES], str(path))
    if settings is None:
        return {}
    if not isinstance(plain, dict):
        raise SourceError(f"{path}: is no mapping, and Lightning writes one line for each setting, such as 'lr: 0.001'")
    return plain


@contextmanager
def _told(yaml: Any, path: Path, trouble: str) -> Iterator[None]:
    """What the YAML library raises, as a SourceError that names the line where that is known."""
    try:
        yield
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise SourceError(f"{path}:{line}: {trouble}: {error.problem}") from error
    except (
        yaml.YAMLError,
        UnicodeDecodeError,
        RecursionError,
        ValueError,
        AttributeError,
    ) as error:  # the last of a time
        raise SourceError(f"{path}: {trouble}: {type(error).__name__}") from error


def _plain(value: Any, left: list[int], place: str) -> Any:
    """A value of JSON's kinds. What is named again and again multiplies, so the values are counted."""
    left[0] -= 1
    if left[0] < 0:
        raise SourceError(f"{place}: has over {_MOST_VALUES} values, as one that multiplies what it names again")
    if isinstance(value, dict):
        return {str(key): _plain(each, left, place) for key, each in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [_plain(each, left, place) for each in value]
    return value if value is None or isinstance(value, _PLAIN) else str(value)


def _loader(yaml: Any) -> Any:
    """A loader that takes what a tag stands on as it is, and makes nothing of the tag."""

    class Loader(yaml.SafeLoader):  # type: ignore[misc]  # without types
        pass

    def untagged(loader: Any, _: str, node: Any) -> Any:
        if isinstance(node, yaml.MappingNode):
            return loader.construct_mapping(node, deep=True)
        if isinstance(node, yaml.SequenceNode):
            return loader.construct_sequence(node, deep=True)
        return loader.construct_scalar(node)

    Loader.add_multi_constructor("", untagged)
    return Loader
