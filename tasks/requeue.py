"""Rows that were set aside, taken in again by a night because somebody asked for it: their files found, their place in the order of arrival.

What belongs here: the night's part. What does not: asking (`tasks/quarantine.py`), judging rows (`take_in.py`), the Selects
(`vesper/consolidate/set_aside.py`). Without a request of tonight nothing here costs anything.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import sqlalchemy as sa

from connectors.sources import PULLED, Landed, Opened, SourceUnreadable
from data_quality.contract import check_structure
from data_quality.row_rules import typed
from tasks.bench import Bench
from tasks.incoming import bind, open_files, release
from vesper.consolidate import set_aside, upsert
from vesper.consolidate.set_aside import Request
from vesper.language import Translate, translator
from vesper.model.source import Source
from vesper.tables.declare import previous
from vesper.tables.quality import QUARANTINE
from warehouse.ledger import requeue as in_ledger
from warehouse.ledger.receipts import Receipt

WITHOUT_LINES = ("parquet", *PULLED)
SHOWN = 12
Name = tuple[str, str]


@dataclass
class Again:
    """What a night judges again of one source: requests, landed files with the wanted rows, files that cannot be taken, rows that wait.

    `found` are all files of the source that stand in landing, whenever they came; `taken_in` is by name the newest delivery of each file that
    earlier nights hold.
    """

    source: Source
    found: Sequence[Landed] = ()
    taken_in: dict[str, Receipt] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    files: list[Landed] = field(default_factory=list)
    left: set[str] = field(default_factory=set)
    waiting: sa.Table | None = None

    @property
    def names(self) -> list[str]:
        return [one.path.name for one in self.files]

    @property
    def wanted(self) -> sa.FromClause:
        """Place of each row that is asked for: file and source_row."""
        assert self.waiting is not None
        return set_aside.asked_for(self.waiting, self.requests).subquery("wanted")

    def leave(self, names: Iterable[str]) -> None:
        """Do without files; their rows wait on."""
        gone = set(names)
        self.left |= gone
        self.files = [one for one in self.files if one.path.name not in gone]

    def as_they_came(self, files: Sequence[Landed]) -> list[Landed]:
        """Files with the arrival that their first night noted, whatever has touched them since."""
        arrived_at = {one.path.name: one.received_at for one in files}
        arrived_at |= {one.path.name: self.taken_in[one.path.name].received_at for one in files if self.is_held(one)}
        return [replace(one, received_at=arrived_at[one.path.name]) for one in files]

    def is_held(self, one: Landed) -> bool:
        """Whether a landed file is still the one that earlier nights hold."""
        held = self.taken_in.get(one.path.name)
        return held is not None and held.sha256 == one.sha256


def judged_again(
    bench: Bench, source: Source, found: Sequence[Landed], fresh: Sequence[Landed], known: list[Receipt]
) -> Again:
    """What was asked for by tonight. Files that come again tonight (`fresh`) are judged as what came, whole."""
    asked = in_ledger.requests(bench.house.engine, source.id)
    requests = [one for one in asked if _is_tonights(bench, one)]
    if not requests:
        return Again(source)
    taken_in = newest_deliveries(one for one in known if one.loaded_on < bench.business_on)
    done = [one for one in asked if one.done_on is not None and one.done_on < bench.business_on]
    rows = set_aside.waiting(previous(QUARANTINE), done, delivered_on(taken_in.values())).subquery("waiting")
    waiting = bench.materialize(sa.select(rows).where(rows.c.source == source.id), f"waiting_{source.id}")
    again = Again(source, found, taken_in, requests, waiting=waiting)
    _find(bench, again, {one.path.name for one in fresh})
    return again


def _is_tonights(bench: Bench, request: Request) -> bool:
    """Whether a request is open tonight; of a night that is only compared, whether it was carried out by it."""
    if request.done_on is None:
        return bench.mode == "night" and request.recorded_on <= bench.business_on
    return request.done_on == bench.business_on


def newest_deliveries(receipts: Iterable[Receipt]) -> dict[str, Receipt]:
    """The newest delivery of each file of a source, by its name."""
    return {one.file: one for one in sorted(receipts, key=lambda one: (one.loaded_on, one.received_at))}


def delivered_on(receipts: Iterable[Receipt]) -> dict[Name, dt.date]:
    """By source and file the night that took in its newest delivery."""
    return {(one.source, one.file): one.loaded_on for one in receipts}


def _find(bench: Bench, again: Again, fresh: set[str]) -> None:
    """Which files of the wanted rows are still what they were."""
    has_lines = again.source.system not in WITHOUT_LINES
    moved = frozenset() if has_lines else in_ledger.files_with_moved_rows(bench.house.engine)
    left_then = {file for one in again.requests for file in one.left} if bench.mode == "replay" else set()
    there = {one.path.name: one for one in again.found if again.is_held(one) and one.sha256 not in moved}
    wanted = {row[0] for row in bench.rows(sa.select(again.wanted.c.file).distinct())} - fresh
    again.left = {name for name in wanted if name not in there or name in left_then}
    again.files = [there[name] for name in sorted(wanted - again.left)]


def open_with(bench: Bench, files: Sequence[Landed], again: Again) -> list[Opened]:
    """Tonight's files and those of the wanted rows, opened; one of the latter that no longer fits the definition is left. Raises SourceUnreadable."""
    while True:
        try:
            rows = open_files(bench, again.source, [*files, *again.files])
        except SourceUnreadable as error:
            if error.path not in [one.path for one in again.files]:
                raise
            again.leave([error.path.name])
            continue
        older = rows[len(files) :]
        again.leave([one.path.name for one in older if _is_unfit(again.source, one)])
        return [*rows[: len(files)], *[one for one in older if one.path.name in again.names]]


def _is_unfit(source: Source, one: Opened) -> bool:
    return bool(check_structure(source, one.schema.names, one.row_count, file=one.path.name).critical)


def last_words(bench: Bench, raw: sa.Table, arrived: sa.FromClause, again: Again) -> tuple[sa.Table, int]:
    """Tonight's rows that are the last word about their key, and how many are not: superseded by what came after them."""
    source, known = again.source, previous(raw)
    said: list[sa.FromClause] = [
        set_aside.of_the_keys(known, arrived, source, again.names).subquery("known_rows"),
    ]
    tonight = arrived
    since = bench.scalar(set_aside.in_doubt(arrived, known, source, again.names))
    if since is not None:
        told, unseen_through = _told_since(bench, arrived, again, since)
        said += [told] if told is not None else []
        if unseen_through is not None:
            tonight = set_aside.undisputed(arrived, known, source, again.names, unseen_through).subquery("undisputed")
    kept = bench.materialize(set_aside.last_words(tonight, said, source, again.names), f"newest_{source.id}")
    return kept, _count(bench, arrived) - _count(bench, kept)


def _count(bench: Bench, rows: sa.FromClause) -> int:
    return int(bench.scalar(sa.select(sa.func.count()).select_from(rows)))


def _told_since(
    bench: Bench, arrived: sa.FromClause, again: Again, since: dt.datetime
) -> tuple[sa.Table | None, dt.datetime | None]:
    """What files that nights hold have said of the keys since an instant; and until when that is unknown, because a file is gone."""
    later = [one for one in again.taken_in.values() if one.received_at >= since]
    there = {one.path.name: one for one in again.found if again.is_held(one)}
    unseen = [one for one in later if one.file not in there]
    files = [there[one.file] for one in later if one.file in there]
    try:
        rows = open_files(bench, again.source, files)
    except SourceUnreadable:
        files, rows, unseen = [], [], later
    if unseen:
        _warn_of_unseen(bench, again.source, sorted(one.file for one in unseen))
    told = _told(bench, arrived, again, files, rows) if files else None
    return told, max((one.received_at for one in unseen), default=None)


def _told(bench: Bench, arrived: sa.FromClause, again: Again, files: list[Landed], rows: list[Opened]) -> sa.Table:
    """Rows of the keys in files that nights hold, read with today's definition, without those that wait themselves."""
    source = again.source
    incoming, types = bind(bench, source, again.as_they_came(files), rows)
    plain = source.model_copy(update={"key": ()})
    received_at = incoming.c.received_at
    select = typed(incoming, plain, zone=bench.night.zone, received_at=received_at, incoming_types=types)
    placed = upsert.placed(select, source, bench.night.zone).subquery("placed")
    assert again.waiting is not None
    held = set_aside.without(placed, again.waiting).subquery("held")
    told = bench.materialize(set_aside.of_the_keys(held, arrived, source, again.names), f"told_{source.id}")
    rows.clear()
    release(bench, source)
    return told


def close(bench: Bench, again: Again) -> None:
    """Note in the ledger, when the night is published, that the requests are done; say which files could not be taken."""
    if not again.requests:
        return
    left, source = sorted(again.left), again.source.id
    bench.alongside.append(lambda connection: in_ledger.close(connection, again.requests, bench.business_on, left))
    if left:
        _ = _translate(bench)
        sentence = _(
            "{source}: rows set aside from {files} cannot be judged again: the file is gone, is another one now, or does not fit the definition. "
            "Put back what was delivered and ask again: vesper quarantine replay {source}."
        )
        bench.report.warnings.append(sentence.format(source=source, files=_listed(left)))


def _warn_of_unseen(bench: Bench, source: Source, files: list[str]) -> None:
    _ = _translate(bench)
    sentence = _(
        "{source}: {files} cannot be read any more; rows that are judged again and came before do not replace known rows and count as superseded."
    )
    bench.report.warnings.append(sentence.format(source=source.id, files=_listed(files)))


def _listed(files: list[str]) -> str:
    return ", ".join(files[:SHOWN]) + (" …" if len(files) > SHOWN else "")


def _translate(bench: Bench) -> Translate:
    return translator(bench.house.workspace.company.language)
