"""Whom time alone moves: `moved` of a condition names everyone whose answer differs between two nights with the same facts."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conditions.world import Facts, Tables, night
from vesper.conditions import Condition
from vesper.conditions.people import Asked, people

DAYS = st.one_of(
    st.dates(dt.date(2019, 12, 20), dt.date(2020, 3, 5)),
    st.sampled_from((dt.date(2019, 2, 27), dt.date(2019, 2, 28), dt.date(2019, 3, 1), dt.date(2020, 2, 29))),
)
BORN = st.one_of(st.none(), st.just(dt.date(2000, 2, 29)), st.dates(dt.date(1999, 12, 20), dt.date(2000, 3, 5)), DAYS)


@pytest.mark.requirement("R76")
@settings(max_examples=60, deadline=None)
@given(
    born=st.lists(BORN, min_size=1, max_size=6),
    since=DAYS,
    later=st.sampled_from((1, 2, 7, 8, 9, 40, 366)),
    within=st.sampled_from(("0d", "1d", "7d", "30d", "400d")),
)
def test_nobody_elses_anniversary_moves(
    tables: Tables, born: list[dt.date | None], since: dt.date, later: int, within: str
) -> None:
    condition = Condition.model_validate({"anniversary": {"field": "birth_on", "within": within}})
    tables.put_facts(Facts({f"c{n}": {"birth_on": day} for n, day in enumerate(born)}), night(on=since))
    tonight = night(on=since + dt.timedelta(days=later))

    def asked(select: object) -> set[str]:
        return {row["contact_id"] for row in tables.rows(select)}  # type: ignore[arg-type]

    differs = asked(people(condition, night(on=since))) ^ asked(people(condition, tonight))
    moved = {id for select in condition.body.moved(Asked(tonight), since) for id in asked(select)}
    assert differs <= moved
    # From one night to the next nobody is asked in vain, unless the window holds two returns of a day.
    assert moved == differs or later > 1 or within == "400d"
