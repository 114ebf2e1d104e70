"""What a night knows of erased people: their rows are screened before anything reads them.

What belongs here: binding what recognises them. What does not: the screen itself (`vesper/erased.py`), and erasing (`tasks/erase.py`).
"""

from typing import Any

from tasks.bench import Bench
from vesper.erased import screened
from vesper.tables.ledger_copy import LEDGER_ERASED
from warehouse.ledger.erasure import erased_as_arrow


def screen(bench: Bench, records: Any) -> Any:
    """A Select of core__source_record with the rows of erased people excluded by rule `erased`; the same Select while nobody was erased."""
    known = erased_as_arrow(bench.house.engine)
    bench.runner.bind_arrow(LEDGER_ERASED.name, known)
    return screened(records.subquery("records")) if known.num_rows else records
