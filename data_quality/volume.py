"""How much came from a source, against what it declares and its own history: pure decisions over numbers.

Which days came stands in coverage.py, columns in contract.py, single rows in row_rules.py. The caller brings the counts.
"""

import statistics
from collections.abc import Mapping, Sequence

from data_quality.findings import Finding, Translate, finding, plain
from data_quality.row_rules import critical_rules
from vesper.model.source import Source
from vesper.tables.declare import Severity

HISTORY = 14
SHORTEST_HISTORY = 3


def judge_volume(
    source: Source, received: int, history: Sequence[int], *, file: str = "?", _: Translate = plain
) -> Finding | None:
    """The rows of one file against `rows.min`, `rows.max`, and `rows.drop_ratio` x the median of its last 14 files.

    `history` holds the row counts of earlier files, oldest first; fewer than three make no median to compare with.
    """
    rows = source.rows
    rule: str
    bound: float
    recent = list(history)[-HISTORY:]
    median = statistics.median(recent) if len(recent) >= SHORTEST_HISTORY else 0
    if received < rows.min:
        rule, bound = "rows.min", rows.min
        message = _(
            "{source}: {file} brings {received} rows, at least {bound} are expected ({rule})."
            " Ask the source for a complete file."
        )
    elif received > rows.max:
        rule, bound = "rows.max", rows.max
        message = _(
            "{source}: {file} brings {received} rows, at most {bound} are expected ({rule})."
            " Check the file, or raise the bound."
        )
    elif received < rows.drop_ratio * median:
        rule, bound = "rows.drop_ratio", rows.drop_ratio
        message = _(
            "{source}: {file} brings {received} rows, less than {bound:.0%} of the {median:g} that its last {count}"
            " files had in the middle ({rule}). Ask the source for a complete file."
        )
    else:
        return None
    facts = {"file": file, "received": received, "bound": bound, "median": median, "count": len(recent)}
    return finding(source.id, rule, "critical", message, **facts)


def judge_quarantine(
    source: Source, quarantined: Mapping[str, int], received: int, *, file: str = "?", _: Translate = plain
) -> Finding | None:
    """Quarantined rows by rule against `max_quarantine_ratio`.

    One row that breaks a rule declared `unknown: fail` is enough.
    """
    facts = {"file": file, "received": received}
    for rule in sorted(rule for rule in critical_rules(source) if quarantined.get(rule)):
        message = _(
            "{source}: {file} has {count} of {received} rows with a value nobody declared ({rule}, unknown: fail)."
            " Add the value to the definition, or correct the file."
        )
        return finding(source.id, rule, "critical", message, count=quarantined[rule], **facts)
    total = sum(quarantined.values())
    if not total or total <= source.max_quarantine_ratio * received:
        return None
    worst = max(sorted(quarantined), key=lambda rule: quarantined[rule])
    message = _(
        "{source}: {total} of {received} rows in {file} broke a row rule, more than the {allowed:.1%} allowed ({rule});"
        " most often {worst}, {count} rows. Correct the file."
    )
    facts |= {"total": total, "allowed": source.max_quarantine_ratio, "worst": worst, "count": quarantined[worst]}
    return finding(source.id, "max_quarantine_ratio", "critical", message, **facts)


def repeated_content(
    source: Source, sha256: str, earlier: Mapping[str, str], received: int, *, file: str = "?", _: Translate = plain
) -> Finding | None:
    """Whether a file holds exactly what an earlier one did: yesterday's file again, under today's name.

    `earlier` gives the content hash by file name; a file without rows repeats nothing. Critical for a daily source,
    because the day itself is missing then.
    """
    same = sorted(name for name, content in earlier.items() if content == sha256 and name != file)
    if not same or not received:
        return None
    message = _(
        "{source}: {file} ({received} rows) holds exactly what {same} did ({rule}); the file of its own day is missing."
        " Ask the source for the right one."
    )
    severity: Severity = "critical" if source.cadence.every == "day" else "warning"
    return finding(source.id, "repeated", severity, message, file=file, received=received, same=same[-1])


def judge_changes(source: Source, changed: int, *, _: Translate = plain) -> Finding | None:
    """Rows of earlier nights that came with other values, against the source's `changes`."""
    if not changed or source.changes == "accept":
        return None
    what = _("{source}: {changed} rows of earlier nights came with other values ({rule}).")
    todo = {
        "warn": _("They are taken in; see that the source meant it."),
        "block": _("Ask the source why, then correct the file, or write changes: accept in the definition."),
    }[source.changes]
    severity: Severity = "critical" if source.changes == "block" else "warning"
    return finding(source.id, "changes", severity, f"{what} {todo}", changed=changed)


def judge_wrong_day(
    source: Source, inside: int, outside: int, *, file: str = "?", _: Translate = plain
) -> Finding | None:
    """Whether a daily file is about another day than its name says: a clock one day off, back or forth.

    `inside` counts its rows of that company day, `outside` the others; late rows are usual, a majority of them is not.
    """
    if source.cadence.every != "day" or outside <= inside:
        return None
    message = _(
        "{source}: {outside} of {received} rows in {file} are of another day than the file ({rule})."
        " Check the source's clock and zone."
    )
    return finding(source.id, "wrong_day", "critical", message, outside=outside, received=inside + outside, file=file)
