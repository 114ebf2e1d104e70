"""What the sides beside Vesper share: constants of the rows they write, and how a file is made durable."""

import os
from pathlib import Path

from bench.scale.rules import Figure, Orders, Rule

HASH = "0123456789abcdef"
"""Stands where Vesper writes the hash of a definition; not compared."""
ORDER_DAYS = (90, 365)
SIZE = 1_000_000_000
"""People in each market."""


def flush(file: Path) -> None:
    """As a warehouse must: the file and its folder are on disk."""
    for path in (file, file.parent):
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)


def shown(rule: Rule) -> tuple[str, str, str]:
    """Columns of the row of figures that a reason shows: count, first and last; `null` where it shows none."""
    if isinstance(rule.evidence, Figure):
        return rule.evidence.name, f"{rule.evidence.name}_first", f"{rule.evidence.name}_last"
    if isinstance(rule.evidence, Orders):
        name = f"orders_{rule.evidence.days}"
        return name, f"{name}_first", f"{name}_last"
    return ("1", "last_order_at", "last_order_at") if rule.is_last_order else (str(rule.ones), "null", "null")
