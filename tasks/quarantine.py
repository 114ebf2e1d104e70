"""`vesper quarantine`: which rows wait since a night set them aside, and asking the next night to judge them again (R10).

What belongs here: listing without personal data, refusing a request that is about nothing, recording it. What does not: taking the rows in
(`tasks/requeue.py`), the Selects (`vesper/consolidate/set_aside.py`).
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tasks.requeue import delivered_on, newest_deliveries
from vesper.consolidate.set_aside import Request, counted, waiting
from vesper.language import Translate, translator
from vesper.model.source import Source
from vesper.nearest import suggestion
from vesper.tables.quality import QUARANTINE
from warehouse.house import House
from warehouse.ledger import requeue as in_ledger
from warehouse.ledger.receipts import known_receipts
from warehouse.runner import Runner


class AlreadyAsked(LookupError):
    """A request that no night has carried out yet asks for these rows; nothing was recorded."""


@dataclass(frozen=True)
class Waiting:
    """Rows of one file that broke one rule. `since_on` is the night that set the first of them aside; `requested_on` the night that will judge them."""

    source: str
    rule: str
    file: str
    row_count: int
    since_on: dt.date
    requested_on: dt.date | None


def waiting_rows(root: Path, source: str | None = None) -> list[dict[str, Any]]:
    """Rows that were set aside and not taken in since, counted by source, rule and file; nothing of what stands in them."""
    with _opened(root) as (house, _):
        if source is not None:
            _known_source(house, source)
        return [asdict(one) for one in _waiting(house, source)]


def replay(root: Path, source: str, rule: str | None, by: str, reason: str) -> str:
    """Ask the next night to judge rows of a source again, those of one rule or all. Raises LookupError when none waits, or all are asked for."""
    with _opened(root) as (house, _):
        _known_source(house, source)
        rows = [one for one in _waiting(house, source) if rule in (None, one.rule)]
        if not rows:
            rules = {one.rule for one in _waiting(house, source)}
            said = _("No row of {source} waits to be judged again.").format(source=source)
            if rule and rules:
                said = _("No row of {source} waits because of {rule}.").format(source=source, rule=rule)
                said += " " + suggestion(rule, rules, _)
            raise LookupError(said)
        if all(one.requested_on for one in rows):
            raise AlreadyAsked(_("These rows of {source} are to be judged again already.").format(source=source))
        on = house.binds_on()
        id = in_ledger.ask(house.engine, source, rule, by, reason, on)
    facts = {"id": id, "source": source, "on": on, "rows": sum(one.row_count for one in rows)}
    files = len({one.file for one in rows})
    return _(
        "Request {id}: {rows} rows of {source} in {files} files are judged again, with the definitions then in force, by the night of {on}."
    ).format(**facts, files=files)


def _waiting(house: House, source: str | None) -> list[Waiting]:
    requests = in_ledger.requests(house.engine, source)
    names = [source] if source else sorted(house.definitions_at(None).of(Source))
    taken_in: dict[tuple[str, str], dt.date] = {}
    for name in names:
        taken_in |= delivered_on(newest_deliveries(known_receipts(house.engine, name)).values())
    with Runner(house.lake) as runner:
        runner.bind_snapshot(QUARANTINE, house.lake.in_force(QUARANTINE.name))
        rows = waiting(QUARANTINE, [one for one in requests if one.done_on], taken_in).subquery("waiting")
        found = [row._asdict() for row in runner.rows(counted(rows))]
    return [
        Waiting(
            row["source"],
            row["rule_id"],
            row["file"],
            row["row_count"],
            row["since_on"],
            _requested_on(requests, row["source"], row["rule_id"]),
        )
        for row in found
        if source in (None, row["source"])
    ]


def _requested_on(requests: Sequence[Request], source: str, rule: str) -> dt.date | None:
    waiting_for = [one for one in requests if one.done_on is None and one.source == source and one.covers(rule)]
    return min((one.recorded_on for one in waiting_for), default=None)


def _known_source(house: House, source: str) -> None:
    sources = house.definitions_at(None).of(Source)
    if source not in sources:
        _ = _translate(house)
        said = _("No source is called {source}.").format(source=source)
        raise LookupError(f"{said} {suggestion(source, sources, _)}")


@contextmanager
def _opened(root: Path) -> Iterator[tuple[House, Translate]]:
    house = House.open(root)
    try:
        yield house, _translate(house)
    finally:
        house.close()


def _translate(house: House) -> Translate:
    return translator(house.workspace.company.language)
