"""The root that the setting ``artifacts`` names: a folder, or a URL that is reached by what is installed for it."""

from typing import Any, Final

from runstore.artifacts.blobs import Blobs, LocalBlobs
from runstore.errors import SettingsError
from runstore.local.homes import expanded
from runstore.secrets import redact_word
from runstore.urls import check_place_splits

_CALLED: Final = "the artifacts' folder"
_ELSEWHERE: Final = "give another place in RUNSTORE_ARTIFACTS"

_S3: Final = ("s3fs", '"runstore[s3]"')
_GOOGLE: Final = ("gcsfs", "gcsfs")
_AZURE: Final = ("adlfs", "adlfs")
_CLIENTS: Final = {
    "s3": _S3,
    "s3a": _S3,
    "gs": _GOOGLE,
    "gcs": _GOOGLE,
    "az": _AZURE,
    "abfs": _AZURE,
    "abfss": _AZURE,
}
"""fsspec's client for a scheme, which brings fsspec, and what to install. Others need fsspec and are told by it."""


def blobs_at(root: str) -> Blobs:
    """The place that a setting names: a URL that fsspec knows (``s3://bucket/prefix``, ``gs://…``), or a folder.

    Raises:
        SettingsError: it is a URL, and fsspec is not installed.
    """
    if not _is_url(root):
        return LocalBlobs(str(expanded(root.removeprefix("file://"), called=_CALLED)))
    _fsspec_for(root)
    from runstore.artifacts.remote import RemoteBlobs  # noqa: PLC0415 - needs what few have installed

    return RemoteBlobs(root)


def absolute_place(root: str) -> str:
    """A setting's place as it is to be found from any working directory."""
    if root.startswith("file://"):
        return f"file://{expanded(root.removeprefix('file://'), called=_CALLED)}"
    return root if "://" in root else str(expanded(root, called=_CALLED))


def check_place(root: str) -> None:
    """Refuses a place for artifacts that nothing installed here can reach; the place itself is not asked.

    Raises:
        SettingsError: says what to install, that the scheme is unknown, or that a password in it cannot be told.
    """
    if not _is_url(root):
        return
    check_place_splits(root)
    fsspec = _fsspec_for(root)
    for scheme in _schemes(root):
        try:
            fsspec.get_filesystem_class(scheme)
        except (ImportError, ValueError) as error:
            if scheme in _CLIENTS:
                raise _without(*_CLIENTS[scheme], root) from error
            raise SettingsError(
                f"the artifacts' place {redact_word(root)} cannot be reached: {error}; install what it needs, or {_ELSEWHERE}"
            ) from error


def _is_url(root: str) -> bool:
    return "://" in root and not root.startswith("file://")


def _schemes(root: str) -> list[str]:
    """More than one in fsspec's chains, such as simplecache::s3://bucket."""
    return [part.partition("://")[0] for part in root.split("::")]


def _fsspec_for(root: str) -> Any:
    try:
        import fsspec  # noqa: PLC0415 - slow to import, and brought by the clients of such places only
    except ImportError as error:
        needed = [_CLIENTS[scheme] for scheme in _schemes(root) if scheme in _CLIENTS]
        raise _without(*(needed[0] if needed else ("fsspec", "fsspec")), root) from error
    return fsspec


def _without(client: str, install: str, root: str) -> SettingsError:
    return SettingsError(
        f"the artifacts' place {redact_word(root)} cannot be reached without {client}; run: pip install {install}, or {_ELSEWHERE}"
    )
