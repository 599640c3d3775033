"""The files ``meta.yaml`` of MLflow: one mapping of plain values, and nothing else is read from them."""

from pathlib import Path
from typing import Any, Final

from runstore.errors import MissingDriverError, SourceError
from runstore.importing.source import bytes_of

_MOST_BYTES: Final = 64 * 1024
_MOST_DEPTH: Final = 16
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
    try:
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
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise SourceError(f"{path}:{line}: is no YAML as MLflow writes it: {error.problem}") from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise SourceError(f"{path}: is no YAML as MLflow writes it: {type(error).__name__}") from error
    if not isinstance(meta, dict):
        raise SourceError(f"{path}: is empty or cut off; MLflow writes one line for each fact, such as 'status: 3'")
    missing = [name for name in needed if name not in meta]
    if missing:
        raise SourceError(f"{path}: has no line for {' and '.join(missing)}, so it is cut off")
    return {key: value for key, value in meta.items() if isinstance(key, str) and isinstance(value, _PLAIN)}
