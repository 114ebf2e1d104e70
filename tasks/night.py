"""The night as a list: which stages there are, in which order, and who calls them. No Prefect here: `vesper run` and the flows use the same list."""

import datetime as dt
import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from vesper.stage_report import StageReport
from warehouse.house import House
from warehouse.lock import run_lock


@dataclass(frozen=True)
class Stage:
    """A stage by its word. `run` takes the workspace's folder, the business date, and whether messages may be planned and sent."""

    word: str
    run: Callable[[Path, dt.date, bool], StageReport]


def _stages() -> tuple[Stage, ...]:
    from tasks.consolidate import consolidate
    from tasks.handover import handover
    from tasks.measure import measure
    from tasks.score import score
    from tasks.segment import segment
    from tasks.send import send
    from tasks.watch import watch

    return tuple(Stage(run.__name__, run) for run in (consolidate, measure, score, handover, segment, send, watch))


STAGES = _stages()
WORDS = tuple(stage.word for stage in STAGES)
Call = Callable[[Stage, Path, dt.date, bool], StageReport]


def directly(stage: Stage, root: Path, business_on: dt.date, may_send: bool) -> StageReport:
    """Run a stage in this process, without Prefect."""
    return stage.run(root, business_on, may_send)


def run_night(
    call: Call, root: Path, business_on: dt.date, may_send: bool, words: Sequence[str] = WORDS
) -> list[StageReport]:
    """Run stages in order under one lock; the first StageFailed ends the night, and no later stage starts."""
    house = House.open(root)
    try:
        with run_lock(house.workspace.store) as fresh, rare_collections():
            if fresh:
                house.tidy()
            return [call(stage, root, business_on, may_send) for stage in STAGES if stage.word in words]
    finally:
        house.close()


@contextmanager
def rare_collections() -> Iterator[None]:
    """Let Python look for cycles less often: a night makes many objects and few cycles (0.6 of 12 CPU s on the grocer's year)."""
    before = gc.get_threshold()
    gc.set_threshold(50_000, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def business_date(root: Path) -> dt.date:
    """The business date of the workspace's clock."""
    house = House.open(root)
    try:
        return house.business_on()
    finally:
        house.close()


def published(root: Path, table_name: str, business_on: dt.date) -> bool:
    """Whether a table was published for this very business date."""
    house = House.open(root)
    try:
        snapshot = house.lake.as_of(table_name, business_on)
        return snapshot is not None and snapshot.business_on == business_on
    finally:
        house.close()
