"""What stood when: intervals never overlap, and the value of any past night is the one whose interval holds it."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conditions.world import TONIGHT, Facts, Order, Tables, ago
from tests.lifecycle.nights import Company, preset
from vesper.clock import cutoff_at
from vesper.contact_history import FIELDS
from vesper.marts.contact_history import CONTACT_HISTORY
from vesper.marts.lifecycle import LIFECYCLE

ZONE = "America/New_York"
IDS = ("c1", "c2")
fields = st.fixed_dictionaries(
    {
        "province": st.sampled_from(("上海", "江苏", None)),
        "city": st.sampled_from(("上海", None)),
        "owner": st.sampled_from(("销售一", "销售二", None)),
    }
)
companies = st.dictionaries(st.sampled_from(IDS), fields, min_size=1)
orders = st.lists(st.builds(Order, st.sampled_from(IDS), st.sampled_from((ago(0), ago(89), ago(1)))), max_size=2)


@settings(max_examples=15)
@given(nights=st.lists(st.tuples(companies, orders), min_size=2, max_size=5))
def test_in_any_history_every_past_night_reads_as_it_was(
    tables: Tables, nights: list[tuple[dict[str, Any], list[Order]]]
) -> None:
    company = Company(tables, preset("a"), made=(LIFECYCLE, CONTACT_HISTORY))
    stood: list[dict[tuple[str, str], str]] = []
    for number, (contacts, bought) in enumerate(nights):
        company.run(Facts(contacts, orders=tuple(bought)), ago(-number))
        stages = company.of(LIFECYCLE, "stage")
        values = {(id, name): value for id, row in contacts.items() for name, value in row.items() if value}
        stood.append(values | {(id, "stage"): stage for id, stage in stages.items()})
    rows = company.rows(CONTACT_HISTORY)
    assert_apart(rows)
    for number, expected in enumerate(stood):
        at = cutoff_at(ago(-number), ZONE)
        held = [row for row in rows if row["valid_from"] <= at and (row["valid_to"] is None or at < row["valid_to"])]
        assert {(row["contact_id"], row["field"]): row["value"] for row in held} == expected


def assert_apart(rows: list[dict[str, Any]]) -> None:
    """Intervals of one field of one contact follow each other; neighbours either touch or leave a gap."""
    for id in IDS:
        for name in FIELDS:
            mine = [row for row in rows if (row["contact_id"], row["field"]) == (id, name)]
            for earlier, later in pairwise(mine):
                assert earlier["valid_to"] is not None
                assert earlier["valid_from"] < earlier["valid_to"] <= later["valid_from"]


@pytest.mark.requirement("R41")
def test_a_stage_is_known_since_the_facts_tell_it_and_ends_when_the_next_begins(tables: Tables) -> None:
    company = Company(tables, preset("a"), made=(LIFECYCLE, CONTACT_HISTORY))
    bought = Order("c1", ago(30))
    company.run(Facts({"c1": {"owner": "销售一"}}, orders=(bought,)), ago(1))
    company.run(Facts({"c1": {"owner": "销售二"}}, orders=(bought, Order("c1", TONIGHT))), TONIGHT)
    tonight, before = cutoff_at(TONIGHT, ZONE), cutoff_at(ago(1), ZONE)
    assert [(r["field"], r["value"], r["valid_from"], r["valid_to"]) for r in company.rows(CONTACT_HISTORY)] == [
        ("owner", "销售一", before, tonight),
        ("owner", "销售二", tonight, None),
        ("stage", "first_purchase", bought.ordered_at, tonight),
        ("stage", "repurchase", tonight, None),
    ]
