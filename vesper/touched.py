"""Whose rows a night must make anew: contacts with changed facts, and contacts for whom time alone may change an answer.

What belongs here: the Selects that find them, by stage. What does not: which facts changed (the lake knows its parts), and running anything
(`tasks/incremental.py`). A changed definition is no matter of contacts: it makes the whole table anew.

Every mart of contacts is a function of each contact's own rows, its company's row and the night before. So a contact none of whose rows differ, and
whom no condition names as moved, has the rows of the night before.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any

import sqlalchemy as sa

from vesper import points
from vesper.conditions import Condition
from vesper.conditions.people import Asked
from vesper.lifecycle import stages_of, unsettled
from vesper.marts.lifecycle import PREVIOUS_LIFECYCLE
from vesper.model.scoring import ScoringRule
from vesper.model.segment import Segment
from vesper.mql import strict_condition
from vesper.night import Night
from vesper.score import scale_of
from vesper.shared import conjuncts, is_of_day, only_picks, text_of
from vesper.tables.company import COMPANY
from vesper.tables.contact import CONTACT

Contacts = sa.Select[Any]


def moved(stage: str, night: Night, since: dt.date) -> Iterator[Contacts]:
    """Selects of the contacts (contact_id) whose answers of a stage time alone may have changed since the night of `since`.

    Raises LookupError for a stage that makes no marts of contacts.
    """
    yield from _merged(_MOVED[stage](night, since))


def of_companies(changed: sa.FromClause) -> Contacts:
    """The contacts of companies (company_id) whose rows differ."""
    return sa.select(CONTACT.c.contact_id).where(
        CONTACT.c.company_id.in_(sa.select(changed.c[COMPANY.c.company_id.name]))
    )


def _merged(parts: Iterable[Contacts]) -> Iterator[Contacts]:
    """The same contacts out of one look at each stretch of days of a fact table, where several Selects only pick its rows."""
    picked: dict[str, tuple[Contacts, dict[str, sa.ColumnElement[bool]]]] = {}
    for part in parts:
        (source, *others), test = part.get_final_froms(), part.whereclause
        if others or not isinstance(source, sa.Table) or test is None or not only_picks(part):
            yield part
            continue
        days = [one for one in conjuncts(test) if is_of_day(one)]
        plain = sa.select(*part.selected_columns).select_from(source).where(*days)
        rest = sa.and_(sa.true(), *[one for one in conjuncts(test) if not is_of_day(one)])
        _, tests = picked.setdefault(text_of(plain), (plain, {}))
        tests[text_of(rest)] = rest
    yield from (plain.where(sa.or_(*tests.values())) for plain, tests in picked.values())


def _scored(night: Night, since: dt.date) -> Iterator[Contacts]:
    for rule in night.definitions.of(ScoringRule).values():
        yield from points.moved(rule, night, since)
    if scale_of(night).mql_preset == "strict":
        yield from _answers(strict_condition(scale_of(night)), night, since)
    for stage in stages_of(night):
        yield from _answers(stage.when, night, since)
    yield unsettled(PREVIOUS_LIFECYCLE)


def _segmented(night: Night, since: dt.date) -> Iterator[Contacts]:
    for segment in night.definitions.of(Segment).values():
        yield from _answers(segment.condition, night, since)


def _answers(condition: Condition, night: Night, since: dt.date) -> Iterator[Contacts]:
    asked = Asked(night)
    for _path, body in condition.walk():
        yield from body.moved(asked, since)


_MOVED = {"score": _scored, "segment": _segmented}
STAGES = frozenset(_MOVED)
"""Stages that make marts of touched contacts only."""
