"""Taking in what landed: files of one source, read, held against the contract, split, and merged into the source's raw table."""

import datetime as dt
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from connectors.sources import Landed, Opened, SourceUnreadable, landed, read, still_written, unchanged
from data_quality.conservation import consolidated_rows
from data_quality.contract import check_structure
from data_quality.coverage import Reach, judge_coverage
from data_quality.findings import Finding
from data_quality.row_rules import typed
from data_quality.split import count_select, quarantine_select
from data_quality.volume import judge_changes, judge_quarantine, judge_volume, judge_wrong_day, repeated_content
from tasks.bench import Bench
from tasks.fetch import fetch
from tasks.incoming import bind, release
from tasks.requeue import Again, close, judged_again, last_words, open_with
from vesper.consolidate import set_aside, upsert
from vesper.language import Translate, translator
from vesper.model.source import Source
from vesper.stage_report import StageFailed
from vesper.tables.declare import previous
from vesper.tables.raw import is_cut, raw_table
from warehouse.ledger.receipts import Receipt, known_receipts
from warehouse.runner import EngineFailed


@dataclass
class TakenIn:
    """One source after its files were taken in: its raw table, how far it reaches, which days changed, its quarantined rows."""

    source: Source
    raw: sa.Table
    reach: Reach
    receipts: list[Receipt] = field(default_factory=list)
    changed_days: set[dt.date] = field(default_factory=set)
    quarantine: sa.Select[tuple[object, ...]] | None = None


def take_in(bench: Bench, source: Source) -> TakenIn:
    """Take in every file of a source that arrived by the cut-off and that the night before does not hold, and rows that are to be judged again."""
    found = _found(bench, source)
    arrived = _arrived(bench, source, found)
    known = known_receipts(bench.house.engine, source.id)
    raw = bench.declare(raw_table(source))
    before = bench.snapshot_before(raw.name)
    held = _loaded_through(known, before.business_on) if before else set()
    fresh = [one for one in arrived if _name(one) not in held]
    if bench.mode == "replay":
        then = _loaded_through(known, bench.business_on)
        fresh = [one for one in fresh if _name(one) in then]
    reach = judge_coverage(source, {one.on for one in arrived}, bench.business_on, _=translator_of(bench))
    taken = TakenIn(source, raw, reach)
    note(bench, reach.finding)
    again = judged_again(bench, source, found, fresh, known)
    if fresh or again.files:
        _load(bench, taken, fresh, known, again)
    else:
        _carry(bench, taken)
    close(bench, again)
    return taken


def translator_of(bench: Bench) -> Translate:
    """The gettext function of the workspace's language."""
    return translator(bench.house.workspace.company.language)


def note(bench: Bench, finding: Finding | None) -> None:
    """Keep a warning for the report; stop the stage on a critical finding."""
    if finding is None:
        return
    if finding.is_critical:
        raise StageFailed(finding.sentence, bench.report)
    bench.report.warnings.append(finding.sentence)


def _found(bench: Bench, source: Source) -> list[Landed]:
    """All files that stand in landing, after a source that does not deliver was asked."""
    files = _landed(bench, source)
    return _landed(bench, source) if fetch(bench, source, files) else files


def _arrived(bench: Bench, source: Source, files: list[Landed]) -> list[Landed]:
    """Files that were there at the cut-off. What was asked for belongs to the night that asked, however late it was (decision 0016)."""
    if source.is_pulled:
        return [one for one in files if one.on <= bench.business_on]
    return [one for one in files if one.received_at <= bench.night.cutoff_at]


def _landed(bench: Bench, source: Source) -> list[Landed]:
    try:
        return landed(bench.house.workspace.landing, source.path)
    except SourceUnreadable as error:
        raise _stopped(bench, source, error) from None


def _stopped(bench: Bench, source: Source, error: SourceUnreadable) -> StageFailed:
    return StageFailed(f"{source.id}: {error.said(translator_of(bench))}", bench.report)


def _loaded_through(known: list[Receipt], on: dt.date) -> set[tuple[str, str]]:
    """Name and content of the files that a night up to a date holds."""
    return {(receipt.file, receipt.sha256) for receipt in known if receipt.loaded_on <= on}


def _name(one: Landed) -> tuple[str, str]:
    return one.path.name, one.sha256


def _load(bench: Bench, taken: TakenIn, files: list[Landed], known: list[Receipt], again: Again) -> None:
    source = taken.source
    rows = _open(bench, source, files, again)
    if not rows:  # only rows to be judged again, and none of their files fits
        _carry(bench, taken)
        return
    _judge_files(bench, source, files, rows, known)
    every = [*files, *again.files]
    judged = _judged(bench, source, every, _rules(bench, source, again.as_they_came(every), rows, again))
    _stand_still(bench, source, every)
    taken.receipts = _receipts(bench, source, files, rows)
    rows.clear()
    release(bench, source)
    outcomes = _outcomes(bench, source, files, judged)
    arrived = upsert.good(judged, source).subquery("arrived")
    _judge_days(bench, source, files, arrived)
    _merge(bench, taken, arrived, outcomes, again)
    if outcomes.quarantined:
        taken.quarantine = quarantine_select(judged, source, bench.business_on)
    else:
        bench.runner.forget(judged.name)


def _rules(bench: Bench, source: Source, files: list[Landed], rows: list[Opened], again: Again) -> sa.Select[Any]:
    """The batch bound, as the Select that judges its rows; of files that count by some rows only, these."""
    incoming, types = bind(bench, source, files, rows)
    if again.files:
        incoming = set_aside.narrowed(incoming, again.wanted, again.names)
    # Rows that replace each other are found over the whole batch (upsert.newest), so rules need not look for them file by file.
    select = typed(
        incoming,
        source.model_copy(update={"key": ()}),
        zone=bench.night.zone,
        received_at=incoming.c.received_at,
        incoming_types=types,
    )
    return upsert.placed(select, source, bench.night.zone)


def _judged(bench: Bench, source: Source, files: list[Landed], select: Any) -> sa.Table:
    """The batch's rows, judged, kept for the rest of the stage."""
    try:
        return bench.materialize(select, f"judged_{source.id}")
    except EngineFailed:
        broken = _unreadable(source, files)
        if broken is None:
            raise
        failed = _stopped(bench, source, broken)
    raise failed


def _stand_still(bench: Bench, source: Source, files: list[Landed]) -> None:
    """A file that was written into while it was read may have given half of itself."""
    for one in files:
        if not unchanged(one):
            raise _stopped(bench, source, still_written(one.path))


def _unreadable(source: Source, files: list[Landed]) -> SourceUnreadable | None:
    """Which of the files cannot be read, after the engine failed on one that it read itself."""
    for one in files:
        try:
            read(one.path, source)
        except SourceUnreadable as error:
            return error
    return None


def _receipts(bench: Bench, source: Source, files: list[Landed], rows: list[Opened]) -> list[Receipt]:
    pairs = zip(files, rows[: len(files)], strict=True)
    on = bench.business_on
    return [
        Receipt(source.id, f.path.name, f.sha256, f.on, f.received_at, one.row_count, f.size, on) for f, one in pairs
    ]


def _open(bench: Bench, source: Source, files: list[Landed], again: Again) -> list[Opened]:
    """The batch, its columns held against the contract; files that count by some rows only come last."""
    try:
        rows = open_with(bench, files, again)
    except SourceUnreadable as error:
        raise _stopped(bench, source, error) from None
    for one in rows[: len(files)]:
        structure = check_structure(source, one.schema.names, one.row_count, file=one.path.name, _=translator_of(bench))
        for finding in structure.findings:
            note(bench, finding)
    return rows


def _judge_files(bench: Bench, source: Source, files: list[Landed], rows: list[Opened], known: list[Receipt]) -> None:
    """Volume and repetition of each file, in the order of their days, against the files before it."""
    _ = translator_of(bench)
    names = {one.path.name for one in files}
    earlier = [r for r in known if r.file not in names and r.loaded_on < bench.business_on]
    counts = [r.row_count for r in sorted(earlier, key=lambda r: r.covers_on)]
    contents = {r.file: r.sha256 for r in earlier}
    for one, found in zip(files, rows[: len(files)], strict=True):
        note(bench, judge_volume(source, found.row_count, counts, file=one.path.name, _=_))
        note(bench, repeated_content(source, one.sha256, contents, found.row_count, file=one.path.name, _=_))
        counts.append(found.row_count)
        contents[one.path.name] = one.sha256


@dataclass
class Outcomes:
    """Rows of a batch by what became of them."""

    received: int
    superseded: int
    quarantined: dict[str, int]


def _outcomes(bench: Bench, source: Source, files: list[Landed], judged: sa.Table) -> Outcomes:
    """Counted over the batch. How many may be set aside is a question to a file that came, not to rows that were set aside before."""
    by_file: dict[str, Counter[str]] = defaultdict(Counter)
    for row in bench.rows(count_select(judged)):
        by_file[row.file][row.outcome] += row.row_count
    total: Counter[str] = Counter()
    for one in files:
        outcomes = by_file[one.path.name]
        broken = {rule: count for rule, count in outcomes.items() if rule not in ("good", "superseded")}
        finding = judge_quarantine(source, broken, outcomes.total(), file=one.path.name, _=translator_of(bench))
        note(bench, finding)
    for outcomes in by_file.values():
        total.update(outcomes)
    broken = {rule: count for rule, count in sorted(total.items()) if rule not in ("good", "superseded")}
    bench.report.quarantined.update({(source.id, rule): count for rule, count in broken.items()})
    return Outcomes(total.total(), total["superseded"], broken)


def _judge_days(bench: Bench, source: Source, files: list[Landed], arrived: sa.FromClause) -> None:
    """Whether the rows of a daily file are of the file's day."""
    if not is_cut(source) or source.cadence.every != "day" or source.is_pulled:
        return
    query = sa.select(arrived.c.file, arrived.c.on, sa.func.count().label("row_count"))
    days: dict[str, Counter[dt.date]] = defaultdict(Counter)
    for row in bench.rows(query.group_by(arrived.c.file, arrived.c.on)):
        days[row.file][row.on] += row.row_count
    for one in files:
        inside = days[one.path.name][one.on]
        outside = days[one.path.name].total() - inside
        note(bench, judge_wrong_day(source, inside, outside, file=one.path.name, _=translator_of(bench)))


def _merge(bench: Bench, taken: TakenIn, arrived: sa.FromClause, outcomes: Outcomes, again: Again) -> None:
    """Compare with what is known, count new, changed and unchanged, and write the parts of the raw table that changed."""
    source, raw = taken.source, taken.raw
    known = previous(raw)
    arrived, superseded = _last_words(bench, taken, arrived, again)
    judged: sa.FromClause
    if bench.snapshot_before(raw.name) is None:
        judged = upsert.all_new(arrived, source).subquery("compared")
    else:
        judged = bench.materialize(upsert.compared(arrived, known, source), f"compared_{source.id}")
    counts = {row.verdict: row.row_count for row in bench.rows(upsert.verdicts(judged))}
    asked_for = int(bench.scalar(set_aside.changes_among(judged, again.names))) if again.files else 0
    note(bench, judge_changes(source, counts.get("changed", 0) - asked_for, _=translator_of(bench)))
    bench.balance(
        consolidated_rows(
            source.id,
            outcomes.received,
            new=counts.get("new", 0),
            changed=counts.get("changed", 0),
            unchanged=counts.get("unchanged", 0),
            quarantined=sum(outcomes.quarantined.values()),
            superseded=superseded,
        )
    )
    whole = upsert.merged(judged, known, source) if bench.snapshot_before(raw.name) else upsert.came(judged, known)
    if is_cut(source):
        taken.changed_days = {row[0] for row in bench.rows(upsert.changed_days(judged))}
        is_first = bench.snapshot_before(raw.name) is None
        bench.fill_days(raw, whole, taken.changed_days, known=_covered_days(taken), is_materialized=is_first)
    else:
        bench.fill(raw, whole)


def _last_words(bench: Bench, taken: TakenIn, arrived: sa.FromClause, again: Again) -> tuple[sa.FromClause, int]:
    """One row per key, and how many others there were."""
    if again.files:
        return last_words(bench, taken.raw, arrived, again)
    superseded = _superseded(bench, arrived, taken.source)
    if not superseded:
        return arrived, 0
    return bench.materialize(upsert.newest(arrived, taken.source), f"newest_{taken.source.id}"), superseded


def _superseded(bench: Bench, arrived: sa.FromClause, source: Source) -> int:
    """Rows that another row of the batch replaces. Hashes answer first, since most batches have none."""
    if not bench.scalar(upsert.may_repeat(arrived, source)):
        return 0
    return int(bench.scalar(upsert.repeated(arrived, source)) or 0)


def _covered_days(taken: TakenIn) -> list[dt.date]:
    """Days without rows that are known to be so: received or closed, so that a reader can tell empty from missing."""
    return [day for day in taken.source.cadence.closed_on if (taken.reach.covered_through_on or dt.date.min) >= day]


def _carry(bench: Bench, taken: TakenIn) -> None:
    """Nothing arrived: yesterday's raw table stands, laid out for tonight."""
    raw = taken.raw
    if is_cut(taken.source):
        bench.fill_days(raw, sa.select(previous(raw)), changed=())
    else:
        bench.fill(raw, sa.select(previous(raw)))
