"""Assignments and decisions as a night sees them.

What belongs here: the copies as Arrow. What does not: changing the rows (`experiment.py`).
"""

import pyarrow as pa
import sqlalchemy as sa

from vesper.tables.experiment import RAW_ASSIGNMENT, RAW_DECISION
from warehouse.ledger.experiment_schema import EXPERIMENT_ASSIGNMENT, EXPERIMENT_DECISION
from warehouse.ledger.outbox import table_as_arrow


def assignments_as_arrow(engine: sa.Engine) -> pa.Table:
    """Every assignment, to be bound as `raw_vesper__experiment_assignment`."""
    return table_as_arrow(engine, EXPERIMENT_ASSIGNMENT, [EXPERIMENT_ASSIGNMENT.c[c.name] for c in RAW_ASSIGNMENT.c])


def decisions_as_arrow(engine: sa.Engine) -> pa.Table:
    """Every decision, to be bound as `raw_vesper__experiment_decision`."""
    return table_as_arrow(engine, EXPERIMENT_DECISION, [EXPERIMENT_DECISION.c[c.name] for c in RAW_DECISION.c])


COPIES = {RAW_ASSIGNMENT.name: assignments_as_arrow, RAW_DECISION.name: decisions_as_arrow}
"""Copy -> how it is made."""
