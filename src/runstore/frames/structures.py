"""The structures of Arrow's C interfaces, as C has them.

https://arrow.apache.org/docs/format/CDataInterface.html and
https://arrow.apache.org/docs/format/CStreamInterface.html
"""

import ctypes
from ctypes import POINTER, c_char_p, c_int, c_int64, c_void_p


class CSchema(ctypes.Structure):
    """What a column is."""


class CArray(ctypes.Structure):
    """The buffers of a column, or of all columns."""


class CStream(ctypes.Structure):
    """Gives the schema, and the arrays one by one."""


ReleaseSchema = ctypes.CFUNCTYPE(None, POINTER(CSchema))
ReleaseArray = ctypes.CFUNCTYPE(None, POINTER(CArray))
ReleaseStream = ctypes.CFUNCTYPE(None, POINTER(CStream))
GetSchema = ctypes.CFUNCTYPE(c_int, POINTER(CStream), POINTER(CSchema))
GetNext = ctypes.CFUNCTYPE(c_int, POINTER(CStream), POINTER(CArray))
GetLastError = ctypes.CFUNCTYPE(c_void_p, POINTER(CStream))
Destructor = ctypes.CFUNCTYPE(None, c_void_p)

CSchema._fields_ = [
    ("format", c_char_p),
    ("name", c_char_p),
    ("metadata", c_char_p),
    ("flags", c_int64),
    ("n_children", c_int64),
    ("children", POINTER(POINTER(CSchema))),
    ("dictionary", POINTER(CSchema)),
    ("release", ReleaseSchema),
    ("private_data", c_void_p),
]
CArray._fields_ = [
    ("length", c_int64),
    ("null_count", c_int64),
    ("offset", c_int64),
    ("n_buffers", c_int64),
    ("n_children", c_int64),
    ("buffers", POINTER(c_void_p)),
    ("children", POINTER(POINTER(CArray))),
    ("dictionary", POINTER(CArray)),
    ("release", ReleaseArray),
    ("private_data", c_void_p),
]
CStream._fields_ = [
    ("get_schema", GetSchema),
    ("get_next", GetNext),
    ("get_last_error", GetLastError),
    ("release", ReleaseStream),
    ("private_data", c_void_p),
]
