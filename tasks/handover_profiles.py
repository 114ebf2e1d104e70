"""What sales are told of contacts, read from the lake: for the notices of a night, for those between nights, for a sheet.

What belongs here: binding and reading. What does not: the Selects (`vesper/handover_profile.py`).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from tasks.bench import Bench
from vesper.handover_profile import ASKED, Profile, behaviours, campaigns, people
from vesper.marts import reads
from vesper.tables.declare import METADATA
from warehouse.house import House
from warehouse.runner import Runner

Read = Callable[[sa.Select[Any]], list[Any]]


def profiles_on(bench: Bench, contact_ids: Iterable[str]) -> Mapping[str, Profile]:
    """Profiles as of the bench's night."""
    _ask(bench.runner, contact_ids)
    return _profiles(bench.rows)


def profiles_in_force(house: House, contact_ids: Iterable[str]) -> Mapping[str, Profile]:
    """Profiles as they were published last."""
    with Runner(house.lake) as runner:
        _ask(runner, contact_ids)

        def read(select: sa.Select[Any]) -> list[Any]:
            for name in sorted(reads(select) - set(runner.bound)):
                runner.bind_snapshot(METADATA.tables[name], house.lake.in_force(name))
            return runner.rows(select)

        return _profiles(read)


def _ask(runner: Runner, contact_ids: Iterable[str]) -> None:
    ids = sorted(set(contact_ids))
    runner.bind_arrow(ASKED.name, pa.table({"contact_id": pa.array(ids, pa.string())}))


def _profiles(read: Read) -> Mapping[str, Profile]:
    """One profile for each contact that is still there."""
    joined, done = defaultdict(list), defaultdict(list)
    for row in read(campaigns()):
        joined[row.contact_id].append(_without_id(row))
    for row in read(behaviours()):
        done[row.contact_id].append(_without_id(row))
    return {
        row.contact_id: Profile(_without_id(row), joined[row.contact_id], done[row.contact_id])
        for row in read(people())
    }


def _without_id(row: Any) -> dict[str, Any]:
    return {name: value for name, value in row._asdict().items() if name != "contact_id"}
