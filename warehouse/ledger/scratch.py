"""A ledger in memory, filled with what journeys stand on: where a forecast plays the days to come, and nothing of it stays.

What belongs here: making and filling it. What does not: what is played in it (`tasks/journey_forecast.py`).
"""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

from warehouse.ledger import handover_schema, send_schema  # noqa: F401  their tables are the ledger's as well
from warehouse.ledger.engine import reading
from warehouse.ledger.experiment_schema import EXPERIMENT_ASSIGNMENT, EXPERIMENT_DECISION
from warehouse.ledger.handover_schema import HUMAN_TASK
from warehouse.ledger.journey_schema import COUPON, JOURNEY_ENTRY, JOURNEY_VISIT, NURTURE_TASK
from warehouse.ledger.schema import DEFINITION, LEDGER, MESSAGE, STOP, SUPPRESSION

BATCH = 5000
OF_JOURNEYS = (JOURNEY_ENTRY, JOURNEY_VISIT, COUPON, NURTURE_TASK)
OF_EXPERIMENTS = (EXPERIMENT_ASSIGNMENT, EXPERIMENT_DECISION)
FILLED = (DEFINITION, SUPPRESSION, STOP, HUMAN_TASK, MESSAGE, *OF_JOURNEYS, *OF_EXPERIMENTS)


@contextmanager
def scratch_of(engine: sa.Engine) -> Iterator[sa.Engine]:
    """A ledger in memory with the rows that a turn of journeys reads; the other one is only read."""
    scratch = empty_scratch()
    try:
        with reading(engine) as source:
            for table in FILLED:
                rows = source.execute(sa.select(table).execution_options(yield_per=BATCH)).mappings()
                for part in rows.partitions():
                    with scratch.begin() as connection:
                        connection.execute(sa.insert(table), [dict(row) for row in part])
        yield scratch
    finally:
        scratch.dispose()


def empty_scratch() -> sa.Engine:
    """A ledger in memory with every table and no row."""
    scratch = sa.create_engine("sqlite://", poolclass=StaticPool)
    LEDGER.create_all(scratch)
    return scratch
