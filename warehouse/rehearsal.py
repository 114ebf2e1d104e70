"""A lake with a layer on top for one night: what the stages of a rehearsal made stands for what was published, and is never published itself.

What belongs here: reading the layer before the snapshots. What does not: what is rehearsed and why (`tasks/replay.py`).
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from warehouse.lake import Candidate, Lake, Snapshot
from warehouse.part import Part

REHEARSED = -1
"""Id of a snapshot that is none."""


@dataclass
class Rehearsal:
    """A past night computed again by the definitions in force now: its tables so far, one stage after the other."""

    business_on: dt.date
    made: dict[str, Candidate] = field(default_factory=dict)

    def lay(self, candidates: Sequence[Candidate]) -> None:
        """Let the tables of a stage stand for the published ones in the stages that follow."""
        self.made.update({candidate.table_name: candidate for candidate in candidates})

    def over(self, lake: Lake) -> "RehearsalLake":
        """A lake with what was made so far on top."""
        return RehearsalLake(lake.folder, lake.engine, self)


class RehearsalLake(Lake):
    """Reads the tables of a rehearsal for its night, and the snapshots for everything else."""

    def __init__(self, folder: Path, engine: sa.Engine, rehearsal: Rehearsal) -> None:
        super().__init__(folder, engine)
        self.rehearsal = rehearsal

    def as_of(self, table_name: str, on: dt.date) -> Snapshot | None:
        """The rehearsal's table for its night, else the newest snapshot up to `on`."""
        made = self.rehearsal.made.get(table_name)
        if made is None or on != self.rehearsal.business_on:
            return super().as_of(table_name, on)
        return Snapshot(REHEARSED, table_name, on, made.row_count, made.fingerprint, made.recipe)

    def parts(self, snapshot: Snapshot | None) -> tuple[Part, ...]:
        """The parts of a snapshot, or of the rehearsal's table."""
        if snapshot is not None and snapshot.snapshot_id == REHEARSED:
            return self.rehearsal.made[snapshot.table_name].parts
        return super().parts(snapshot)
