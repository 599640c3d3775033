"""The Arrow C stream interface, with nothing but the standard library: any library takes a table without copying it.

Whoever takes one of the structures calls its ``release`` when he is done with it, from any thread; until then what it
points to is kept alive here.
"""

import ctypes
import errno
import itertools
from array import array
from collections.abc import Sequence
from ctypes import POINTER, c_char_p, c_void_p, memmove, memset, pointer, sizeof
from functools import reduce
from typing import Any, Final, NamedTuple, TypeVar

from runstore.frames.columns import Column, Kind
from runstore.frames.structures import (
    CArray,
    CSchema,
    CStream,
    Destructor,
    GetLastError,
    GetNext,
    GetSchema,
    ReleaseArray,
    ReleaseSchema,
    ReleaseStream,
)

_FORMATS: Final = {
    Kind.INT: b"l",
    Kind.FLOAT: b"g",
    Kind.BOOL: b"b",
    Kind.TEXT: b"U",
    Kind.TIME: b"tsu:UTC",
    Kind.WORD: b"i",
}
_TABLE: Final = b"+s"
_NULLABLE: Final = 2
_CAPSULE: Final = b"arrow_array_stream"
_NOTHING: Final = bytes(64)
_FAILED: Final = errno.ENOMEM
"""There is no other reason for which making a structure could fail."""

_python = ctypes.PyDLL(None)  # a handle of our own, for others set the types of their arguments on ctypes.pythonapi
_python.PyCapsule_New.restype = ctypes.py_object
_python.PyCapsule_New.argtypes = [c_void_p, c_char_p, Destructor]
_python.PyCapsule_GetPointer.restype = c_void_p
_python.PyCapsule_GetPointer.argtypes = [c_void_p, c_char_p]
_python.Py_IncRef.argtypes = [ctypes.py_object]

_kept: Final[dict[int, Any]] = {}
"""What was handed out and not released yet, by the number that its ``private_data`` holds; capsules by their address."""
_numbers: Final = itertools.count(1)


def stream_of(columns: Sequence[Column], length: int) -> object:
    """A capsule ``arrow_array_stream`` that gives the columns, of this length, as one batch."""
    stream = CStream(*_GET, _RELEASE.stream)
    stream.private_data = _keep([list(columns), length, False])
    address = ctypes.addressof(stream)
    _kept[-address] = stream
    capsule: object = _python.PyCapsule_New(address, _CAPSULE, _RELEASE.capsule)
    return capsule


def _keep(what: Any) -> int:
    number = next(_numbers)
    _kept[number] = what
    return number


def _schema(
    layout: bytes, name: str = "", *, children: Sequence[CSchema] = (), dictionary: CSchema | None = None
) -> CSchema:
    made = CSchema(format=layout, name=name.encode(), flags=_NULLABLE, n_children=len(children))
    made.release = _RELEASE.schema
    if children:
        made.children = (POINTER(CSchema) * len(children))(*map(pointer, children))
    if dictionary is not None:
        made.dictionary = pointer(dictionary)
    made.private_data = _keep(made)
    return made


def _schema_of(column: Column) -> CSchema:
    texts = _schema(_FORMATS[Kind.TEXT]) if column.kind is Kind.WORD else None
    return _schema(_FORMATS[column.kind], column.name, dictionary=texts)


def _array(
    length: int,
    buffers: Sequence[Any],
    *,
    null_count: int = 0,
    children: Sequence[CArray] = (),
    dictionary: CArray | None = None,
) -> CArray:
    made = CArray(length=length, null_count=null_count, n_buffers=len(buffers), n_children=len(children))
    made.release = _RELEASE.array
    made.buffers = (c_void_p * len(buffers))(*map(_address, buffers))
    if children:
        made.children = (POINTER(CArray) * len(children))(*map(pointer, children))
    if dictionary is not None:
        made.dictionary = pointer(dictionary)
    made.private_data = _keep((made, buffers))
    return made


def _array_of(column: Column) -> CArray:
    present = None if column.present is None else _bits(column.present)
    null_count = 0 if column.present is None else column.present.count(0)
    if column.kind is Kind.TEXT:
        return _array(column.length, [present, column.ends, column.letters], null_count=null_count)
    values = _bits(column.values) if isinstance(column.values, bytearray) else column.values
    texts = None
    if column.kind is Kind.WORD:
        letters = [word.encode() for word in column.words]
        ends = array("q", itertools.accumulate(map(len, letters), initial=0))
        texts = _array(len(letters), [None, ends, b"".join(letters)])
    return _array(column.length, [present, values], null_count=null_count, dictionary=texts)


def _bits(flags: bytes | bytearray) -> bytes:
    """A bit for each byte, the first one the lowest: eight numbers of many bytes laid over one another."""
    size = (len(flags) + 7) // 8
    lanes = (int.from_bytes(flags[lane::8], "little") << lane for lane in range(8))
    return reduce(int.__or__, lanes).to_bytes(size, "little")


def _address(buffer: "array[Any] | bytes | None") -> int | None:
    """Where the items of a buffer lie; some readers want a place for no items, too."""
    if isinstance(buffer, array) and buffer:
        return buffer.buffer_info()[0]
    return None if buffer is None else ctypes.cast(c_char_p(bytes(buffer) or _NOTHING), c_void_p).value


CallbacksT = TypeVar("CallbacksT", bound=tuple[Any, ...])


class _Releases(NamedTuple):
    schema: Any
    array: Any
    stream: Any
    capsule: Any


class _Gets(NamedTuple):
    schema: Any
    next: Any
    last_error: Any


# The functions that the structures point to are never freed, and those that release use names of their maker alone: what
# a program still holds when it ends is released after this module has been emptied.


def _make_releases() -> _Releases:
    kept, no_schema, no_array, no_stream = _kept, ReleaseSchema(), ReleaseArray(), ReleaseStream()
    get_pointer, capsule_name, stream_at = _python.PyCapsule_GetPointer, _CAPSULE, CStream.from_address

    def release(made: Any, nothing: Any) -> None:
        number = made.private_data
        made.release = nothing
        kept.pop(number, None)

    def release_all(made: Any, nothing: Any) -> None:
        parts = [made.children[index] for index in range(made.n_children)]
        for part in [*parts, made.dictionary] if made.dictionary else parts:
            if part.contents.release:  # otherwise its consumer has moved it, and releases it himself
                release_all(part.contents, nothing)
        release(made, nothing)

    def destroy_capsule(capsule: int) -> None:
        address = get_pointer(capsule, capsule_name)
        stream = stream_at(address)
        if stream.release:  # nobody has taken it
            release(stream, no_stream)
        kept.pop(-address, None)

    return _lasting(
        _Releases(
            schema=ReleaseSchema(lambda given: release_all(given.contents, no_schema)),
            array=ReleaseArray(lambda given: release_all(given.contents, no_array)),
            stream=ReleaseStream(lambda given: release(given.contents, no_stream)),
            capsule=Destructor(destroy_capsule),
        )
    )


def _make_gets() -> _Gets:
    def get_schema(stream: Any, out: Any) -> int:
        try:
            columns, _, _ = _kept[stream.contents.private_data]
            made = _schema(_TABLE, children=list(map(_schema_of, columns)))
            memmove(out, pointer(made), sizeof(made))
        except BaseException:  # noqa: BLE001 - nobody hears of what leaves a callback, and `out` would be read as it is
            return _FAILED
        return 0

    def get_next(stream: Any, out: Any) -> int:
        try:
            state = _kept[stream.contents.private_data]
            columns, length, is_given = state
            memset(out, 0, sizeof(CArray))
            if not is_given:
                made = _array(length, [None], children=list(map(_array_of, columns)))
                memmove(out, pointer(made), sizeof(made))
                state[2] = True
        except BaseException:  # noqa: BLE001 - as above
            return _FAILED
        return 0

    return _lasting(_Gets(GetSchema(get_schema), GetNext(get_next), GetLastError(lambda _: None)))


def _lasting(callbacks: CallbacksT) -> CallbacksT:
    for each in callbacks:
        _python.Py_IncRef(each)
    return callbacks


_RELEASE: Final = _make_releases()
_GET: Final = _make_gets()
