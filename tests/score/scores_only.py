"""Nights of a small company that only scores: reasons, scores, holds. What reads scores stands in `nights.py`."""

import datetime as dt
from collections.abc import Iterable

from tests.conditions.world import Facts, Tables, night
from tests.score.nights import Company
from vesper.marts.score import PREVIOUS_SCORE, SCORE, score
from vesper.marts.score_hold import PREVIOUS_HOLD, SCORE_HOLD, score_hold
from vesper.marts.score_reason import PREVIOUS_REASON, SCORE_REASON, score_reason
from vesper.model.definition import Definition
from vesper.night import Night
from warehouse.lint import refuse_unstable

MADE = (
    (SCORE_REASON, PREVIOUS_REASON, score_reason),
    (SCORE, PREVIOUS_SCORE, score),
    (SCORE_HOLD, PREVIOUS_HOLD, score_hold),
)


class Scorer(Company):
    """One company whose nights make scores and nothing else."""

    def __init__(self, tables: Tables, *definitions: Definition) -> None:
        self.tables, self.definitions = tables, definitions
        for declared, before, _select in MADE:
            tables.put(declared, [])
            tables.put(before, [])

    def run(self, facts: Facts, on: dt.date, held: Iterable[str] = ()) -> Night:
        """One night; what its tables replace is yesterday's."""
        tonight = night(*self.definitions, on=on, held=held)
        for declared, before, _select in MADE:
            self.tables.become_previous(declared, before)
        self.tables.put_facts(facts, tonight)
        for declared, _before, select in MADE:
            made = select(tonight)
            refuse_unstable(made, declared.name)
            self.tables.make(declared, made, on)
        return tonight
