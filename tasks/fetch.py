"""Asking the sources that do not deliver: on a live night what they give lands as a file, and from there on it is a file like any other (R2).

A night stays a function of landed files: a past night, a replay and a simulated clock never ask. What does not belong here: how a kind of system is
asked (connectors/sources), and judging what came (take_in.py).
"""

import hashlib
import os
from typing import Any

from connectors.sources import Asked, Cursor, Landed, NotFetched, Request, asked, land, pull
from tasks.bench import Bench
from vesper.language import translator
from vesper.model.source import Source
from warehouse.ledger.receipts import known_receipts


def fetch(bench: Bench, source: Source, files: list[Landed]) -> bool:
    """Ask a source and land what it gives as tonight's file; whether a file was written.

    A source that cannot be asked is a warning here: its late policy decides what a missing file does. `files` are those that landed before.
    """
    if not source.is_pulled or not is_live(bench) or _is_settled(bench, source, files):
        return False
    if source.cadence.every == "once" and files:
        return False
    before = _asked_before(bench, source, files)
    since = before.cursor if before and before.of == _of(source) else None
    path = bench.house.workspace.landing / source.path.replace("{on}", bench.business_on.isoformat())
    try:
        pulling = pull(source.system, source.sql or source.http, _request(bench, source, since))
        land(path, pulling, bench.business_on, _of(source), since)
    except NotFetched as error:
        _ = translator(bench.house.workspace.company.language)
        message = _("{source} could not be asked: {why}.").format(source=source.id, why=error.said(_))
        bench.report.warnings.append(message)
        return False
    return True


def is_live(bench: Bench) -> bool:
    """Whether tonight is the night of the live clock, worked for the first time or again, and not one that is only compared."""
    workspace = bench.house.workspace
    return bench.mode == "night" and workspace.clock.mode == "live" and bench.business_on == bench.house.business_on()


def _is_settled(bench: Bench, source: Source, files: list[Landed]) -> bool:
    """Whether tonight's file was asked for after the cut-off and a night was published with it: then that night stands."""
    tonight = next((one for one in files if one.on == bench.business_on), None)
    if tonight is None or tonight.received_at < bench.night.cutoff_at:
        return False
    known = known_receipts(bench.house.engine, source.id)
    return any((one.file, one.sha256) == (tonight.path.name, tonight.sha256) for one in known)


def _asked_before(bench: Bench, source: Source, files: list[Landed]) -> Asked | None:
    """What the newest file of an earlier night says of its asking."""
    earlier = [one for one in files if one.on < bench.business_on]
    return asked(earlier[-1].path) if earlier else None


def _of(source: Source) -> str:
    """What is asked, as a hash: another table or another cursor is asked from its beginning."""
    how: Any = source.sql or source.http
    told = how.model_dump(include={"table", "query", "records", "cursor", "since_param"}, mode="json")
    return hashlib.sha256(repr(sorted(told.items())).encode()).hexdigest()[:16]


def _request(bench: Bench, source: Source, since: Cursor | None) -> Request:
    columns = source.columns
    zone = source.zone or bench.night.zone
    return Request(since, bench.night.cutoff_at, zone, columns, os.environ)
