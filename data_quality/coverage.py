"""How far a source reaches on a night, whether its days have a hole, and what its late policy says (R105, R106).

Counts are judged in volume.py. Nothing is read here: the caller brings the days whose files were taken in.
"""

import datetime as dt
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from data_quality.findings import Finding, Translate, finding, plain
from vesper.clock import CUTOFF_HOUR
from vesper.model.source import Source
from vesper.tables.declare import Severity


@dataclass(frozen=True)
class Reach:
    """A row of core__coverage with its finding. `missing` holds the days expected and not here; `finding` is None while
    nothing is late.
    """

    source: str
    business_on: dt.date
    expected_through_on: dt.date | None
    covered_through_on: dt.date | None
    missing: tuple[dt.date, ...]
    is_held: bool
    finding: Finding | None = None


def judge_coverage(
    source: Source,
    received: Collection[dt.date],
    business_on: dt.date,
    *,
    since: dt.date | None = None,
    _: Translate = plain,
) -> Reach:
    """Days received against the source's cadence.

    The file of a day is due at `cadence.due` on the next day; it is expected when that lies at or before the night's
    cut-off. Days before the first one (`since`, else the first received) and `closed_on` are not expected.
    A hole holds what reads the source, whatever the policy; the policy says whether the night may go on: `block` no,
    `warn` yes, `carry_forward: n` for n days.
    """
    known = sorted(day for day in received if day <= business_on)
    if source.is_pulled and source.cadence.every == "day":
        return _pulled(source, known, business_on, _)
    if source.cadence.every != "day":
        return _seldom(source, known, business_on, _)
    through = expected_through(source, business_on)
    first = since or (known[0] if known else through)
    here = {*known, *source.cadence.closed_on}
    missing = tuple(day for day in _days(first, through) if day not in here)
    reach = Reach(source.id, business_on, through, _covered(first, through, known, missing), missing, bool(missing))
    if not missing:
        return reach
    late = (through - missing[0]).days + 1
    found = _late(source, late, missing[0], len(missing), never=not known, _=_)
    return replace(reach, finding=found)


def expected_through(source: Source, business_on: dt.date) -> dt.date:
    """The last day whose file is due by the night's cut-off (20:00 in the company's zone)."""
    due = source.cadence.due
    is_due = due is None or due <= f"{CUTOFF_HOUR:02}:00"
    return business_on - dt.timedelta(days=1 if is_due else 2)


def _pulled(source: Source, known: list[dt.date], business_on: dt.date, _: Translate) -> Reach:
    """Sources that are asked: each night's answer holds everything up to that night, so only the newest one counts."""
    last = known[-1] if known else None
    missing = tuple(_days(last + dt.timedelta(days=1), business_on)) if last else (business_on,)
    reach = Reach(source.id, business_on, business_on, last, missing, bool(missing))
    if not missing:
        return reach
    return replace(reach, finding=_late(source, len(missing), missing[0], len(missing), never=last is None, _=_))


def _seldom(source: Source, known: list[dt.date], business_on: dt.date, _: Translate) -> Reach:
    """Sources that come once or when there is something: no day is expected, but one that comes once must have come, and one that
    comes now and then may have to be fresh.
    """
    last = known[-1] if known else None
    limit = source.cadence.fresh_within
    if last and limit and (business_on - last).days > limit.days:
        return Reach(source.id, business_on, None, last, (), True, _old(source, last, business_on, _))
    if known or source.cadence.every == "irregular":
        return Reach(source.id, business_on, None, last, (), False)
    return Reach(source.id, business_on, None, None, (), True, _late(source, 0, None, 1, never=True, _=_))


def _days(first: dt.date, through: dt.date) -> Iterator[dt.date]:
    return (first + dt.timedelta(days=step) for step in range((through - first).days + 1))


def _covered(first: dt.date, through: dt.date, known: list[dt.date], missing: tuple[dt.date, ...]) -> dt.date | None:
    """The last day without a hole before it: closed days count as covered, a file that is ahead of time too."""
    if not known:
        return None
    last = missing[0] - dt.timedelta(days=1) if missing else max(through, known[-1])
    return last if last >= first else None


def _severity(source: Source, late: int, never: bool) -> Severity:
    """`block` stops the night, `warn` never does, `carry_forward` after its days; what never came has none to carry."""
    if source.late_policy == "warn":
        return "warning"
    if source.late_policy == "block" or never:
        return "critical"
    return "warning" if late <= source.carry_days else "critical"


def _old(source: Source, last: dt.date, business_on: dt.date, _: Translate) -> Finding:
    """The newest file is older than `fresh_within` allows; the days of carry_forward count from there."""
    age = (business_on - last).days
    limit = source.cadence.fresh_within.days if source.cadence.fresh_within else 0
    what = _("{source}: its newest file is of {day}, {age} days ago; at most {limit} are allowed ({rule}).")
    todo = _("Its policy is {policy}: deliver a file, or change fresh_within.")
    facts = {"day": last, "age": age, "limit": limit, "policy": _policy(source)}
    return finding(source.id, "fresh_within", _severity(source, age - limit, False), f"{what} {todo}", **facts)


def _policy(source: Source) -> str:
    return f"carry_forward: {source.carry_days}" if source.carry_days else source.late_policy


def _late(source: Source, late: int, day: dt.date | None, count: int, *, never: bool, _: Translate) -> Finding:
    severity = _severity(source, late, never)
    if never:
        what = _("{source}: nothing has arrived yet.")
    else:
        what = _("{source}: the file of {day} is missing ({count} missing, {late} days late).")
    todo = {
        "critical": _("Its policy {policy} stops the night: deliver the file, or add the day to closed_on."),
        "warning": _(
            "What reads it keeps yesterday's state (policy {policy}) until the file is delivered, or the day is "
            "added to closed_on."
        ),
    }[severity]
    facts = {"day": day, "count": count, "late": late, "policy": _policy(source)}
    return finding(source.id, "late", severity, f"{what} {todo}", **facts)
