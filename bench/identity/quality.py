"""How good a partition is: pairs, B-cubed, wrongly placed records, counted over the whole truth and not only over what blocking found.

What belongs here: the figures of two labellings. What does not: making one.
"""

from typing import Any

import numpy as np
import pyarrow as pa

DIGITS = 5


def codes(labels: pa.Array | pa.ChunkedArray) -> "np.ndarray[Any, np.dtype[np.int64]]":
    """Numbers from 0 in the place of labels."""
    found = labels.combine_chunks() if isinstance(labels, pa.ChunkedArray) else labels
    return np.asarray(found.dictionary_encode().indices.to_numpy(zero_copy_only=False), dtype=np.int64)


def _pairs(counts: "np.ndarray[Any, Any]") -> int:
    return int((counts * (counts - 1) // 2).sum())


def quality(label: pa.ChunkedArray, truth: pa.ChunkedArray) -> dict[str, float]:
    """Precision, recall and F1 of pairs, B-cubed F1, and how many records are not of the person that most of their contact's rows are of.

    Both in the same order of records.
    """
    found, true = codes(label), codes(truth)
    joint = found * (true.max() + 1) + true
    _, place, together = np.unique(joint, return_index=True, return_counts=True)
    size, person = np.bincount(found), np.bincount(true)
    shared = _pairs(together)
    precision, recall = shared / max(_pairs(size), 1), shared / max(_pairs(person), 1)
    exact = float((together**2 / size[found[place]]).sum() / len(found))
    whole = float((together**2 / person[true[place]]).sum() / len(found))
    most = np.zeros(len(size), dtype=np.int64)
    np.maximum.at(most, found[place], together)
    return {
        "precision": round(precision, DIGITS),
        "recall": round(recall, DIGITS),
        "f1": round(_f1(precision, recall), DIGITS),
        "b_cubed": round(_f1(exact, whole), DIGITS),
        "wrongly_placed": int((size - most).sum()),
        "contacts": len(size),
    }


def _f1(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def aligned(found: pa.Table, truth: pa.Table) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """Labels and truth in the order of records; (record, label) and (record, truth), each record once in both."""
    both = found.sort_by("record"), truth.sort_by("record")
    if both[0]["record"].to_pylist() != both[1]["record"].to_pylist():
        raise ValueError("The partition and the truth do not hold the same records.")
    return both[0]["label"], both[1]["truth"]
