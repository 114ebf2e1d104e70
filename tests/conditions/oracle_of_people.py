"""What conditions on who somebody is mean, in plain Python: fields, companies, anniversaries, tags, personas, tiers.

What belongs here: meanings, written without a look at the SQL. What does not: what people did (`oracle.py`).
"""

import datetime as dt
from typing import Any

from tests.conditions.verdict import Case, Verdict, inside
from tests.conditions.world import FIRST_SEEN

BANDS = {"25-34": range(25, 35), "35-44岁": range(35, 45), "65+": range(65, 151)}
"""Band of a survey -> the ages in it; other words say none."""


def attribute(body: Any, case: Case) -> Verdict:
    return of_value(body, case.facts.contacts[case.id].get(body.field))


def company(body: Any, case: Case) -> Verdict:
    mine = case.facts.contacts[case.id].get("company_id") or ""
    return of_value(body, case.facts.companies.get(mine, {}).get(body.field))


def of_value(body: Any, value: Any) -> Verdict:
    if body.presence:
        return Verdict((value is not None) == (body.presence == "known"), 0 if body.presence == "missing" else 1)
    if value is None:
        return Verdict(None)
    answers = [
        body.among is None or value in body.among,
        body.contains is None or any(text in value for text in body.contains),
        body.starts_with is None or any(value[: len(text)] == text for text in body.starts_with),
        inside(value, body.at_least, body.at_most),
        body.before is None or value < body.before,
        body.after is None or value > body.after,
    ]
    return Verdict(all(answers), 1)


def anniversary(body: Any, case: Case) -> Verdict:
    value = {"first_seen_on": FIRST_SEEN, **case.facts.contacts[case.id]}.get(body.field)
    if value is None:
        return Verdict(None)
    tonight = case.night.business_on
    days = [tonight + dt.timedelta(days=ahead) for ahead in range(body.within.days + 1)]
    return Verdict(any(day == in_year(value, day.year) and day.year > value.year for day in days), 1)


def age(body: Any, case: Case) -> Verdict:
    """Full years counted birthday by birthday; else by the first and the last year of the band."""
    contact, today = case.facts.contacts[case.id], case.night.business_on
    born = contact.get("birth_on")
    if born is not None:
        years = today.year - born.year - (today < in_year(born, today.year))
        return Verdict(inside(years, body.at_least, body.at_most), 1)
    ages = BANDS.get(contact.get("age_band"), range(0))
    answers = {inside(years, body.at_least, body.at_most) for years in ages}
    return Verdict(answers.pop(), 1) if len(answers) == 1 else Verdict(None)


def in_year(value: dt.date, year: int) -> dt.date:
    """The day's return in a year: 29 February falls on the 28th where there is none."""
    try:
        return value.replace(year=year)
    except ValueError:
        return dt.date(year, 2, 28)


def tag(body: Any, case: Case) -> Verdict:
    return Verdict(case.id in case.facts.tags.get(body.group_id, frozenset()), 1)


def persona(body: Any, case: Case) -> Verdict:
    return Verdict(case.id in case.facts.personas.get(body.group_id, frozenset()), 1)


def tier(body: Any, case: Case) -> Verdict:
    return Verdict(case.facts.tiers.get(body.of, {}).get(case.id) in body.among, 1)
