"""Between Arrow arrays, numpy and Python text.

What belongs here: those steps, for what Python itself computes. `pa.array`, `pa.scalar` and `to_numpy` do them, too, but first load pandas, which costs
a night more than to cluster what ten thousand new rows touch. What does not: tables, and what is in them.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def numbers(values: np.ndarray[Any, Any]) -> pa.Array:
    """Whole numbers of 64 bits."""
    held = np.ascontiguousarray(values, np.int64)
    return pa.Array.from_buffers(pa.int64(), len(held), [None, pa.py_buffer(held)])


def flags(values: np.ndarray[Any, Any]) -> pa.Array:
    """Truth values."""
    packed = np.packbits(np.asarray(values, bool), bitorder="little")
    return pa.Array.from_buffers(pa.bool_(), len(values), [None, pa.py_buffer(packed)])


def texts(values: Sequence[str]) -> pa.Array:
    """Text without nulls."""
    encoded = [value.encode() for value in values]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int32)
    return pa.Array.from_buffers(pa.string(), len(encoded), [None, pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))])


def whole(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    """The values in one piece."""
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values


def to_numbers(values: pa.Array | pa.ChunkedArray) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Whole numbers or truth values, none of them null, as numpy."""
    return np.from_dlpack(whole(values).cast(pa.int64())).astype(np.int64, copy=False)


def places(values: pa.Array | pa.ChunkedArray, among: pa.Array) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The place of each value in an array, -1 for one that is not there."""
    found = whole(pc.index_in(values, among))
    if not len(found):
        return np.empty(0, np.int64)
    held = np.frombuffer(found.buffers()[1], np.int32)[found.offset : found.offset + len(found)]
    return np.where(to_numbers(pc.is_valid(found)) == 1, held, -1).astype(np.int64)
