"""Every value of a golden contact names the row it comes from, and that row says so."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.consolidate.golden_rows import Golden, Row, open_runner, pinned, record
from vesper.consolidate.contact import DEMOGRAPHIC, FIELDS
from vesper.consolidate.pin import PINNED, SOURCE
from vesper.tables.contact import CONTACT, CONTACT_PROVENANCE
from warehouse.runner import Runner

VALUES: dict[str, list[str | None]] = {
    "card": [None, "101", "102"],
    "name": [None, "王小明", "王先生", "李雷", "John Smith"],
    "phone": [None, "+8613900139001", "+861062345678"],
    "email": [None, "w@x.cn", "info@x.cn"],
    "company": [None, "甲有限公司", "甲公司", "乙有限公司上海分公司", "个人"],
    "job_title": [None, "总监", "主管"],
    "gender": [None, "male", "female"],
    "owner": [None, "韩梅梅", "李雷"],
}
PLACES = [(None, None), ("浙江", None), ("浙江", "杭州"), ("广东", "深圳")]


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    with open_runner(tmp_path_factory.mktemp("golden")) as runner:
        yield runner


@st.composite
def people(draw: st.DrawFn) -> list[Row]:
    """Rows of up to eight contacts."""
    fields = st.fixed_dictionaries({name: st.sampled_from(values) for name, values in VALUES.items()})
    given_rows = draw(
        st.lists(
            st.tuples(st.integers(1, 8), fields, st.sampled_from(PLACES), st.integers(0, 2)), min_size=1, max_size=30
        )
    )
    return [
        record(
            f"s{number % 3}", str(number), f"c{contact_id}", trust=20 * (number % 3), days_ago=days,
            province=place[0], city=place[1], **values,
        )
        for number, (contact_id, values, place, days) in enumerate(given_rows)
    ]  # fmt: skip


@st.composite
def pins(draw: st.DrawFn) -> list[Row]:
    """A few pins on the first rows."""
    values: dict[str, list[str | None]] = {name: [None, "钉"] for name in PINNED} | VALUES
    fields = draw(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(PINNED)), max_size=5))
    return [
        pinned(number, f"s{row % 3}:{row}", field, draw(st.sampled_from(values[field])))
        for number, (row, field) in enumerate(fields)
    ]


@pytest.mark.requirement("R1", "R104")
@given(records=people(), pin_rows=pins())
@settings(max_examples=12, phases=[Phase.explicit, Phase.generate])
def test_every_value_has_one_origin_that_says_it(runner: Runner, records: list[Row], pin_rows: list[Row]) -> None:
    golden = Golden(runner).make(records, pin_rows)
    said = {f"{row['source']}:{row['record_key']}": row for row in records}
    fixed = {row["rule_id"]: row["value"] for row in pin_rows}
    origins = {(row["contact_id"], row["field"]): row for row in golden.tables[CONTACT_PROVENANCE.name]}
    values = {
        (row["contact_id"], field): row[field]
        for row in golden.tables[CONTACT.name]
        for field in FIELDS
        if row[field] is not None
    }
    assert origins.keys() == values.keys()
    for (contact_id, field), origin in origins.items():
        value = values[contact_id, field]
        if origin["source"] == SOURCE:
            assert (fixed[origin["record_key"]], origin["rule"]) == (value, "pin")
        else:
            row = said[f"{origin['source']}:{origin['record_key']}"]
            assert (row["contact_id"], row[field]) == (contact_id, value)
            assert origin["rule"] != "pin"


@pytest.mark.requirement("R1", "R14")
def test_an_order_of_rows_changes_nothing(runner: Runner) -> None:
    def values(number: int) -> Any:
        return {name: found[number % len(found)] for name, found in VALUES.items()}

    records = [
        record(f"s{number % 3}", str(number), f"c{number % 4}", trust=50, **values(number)) for number in range(24)
    ]
    there = Golden(runner).make(records).tables
    back = Golden(runner).make(records[::-1]).tables
    assert {name: sorted(map(repr, rows)) for name, rows in there.items()} == {
        name: sorted(map(repr, rows)) for name, rows in back.items()
    }


def test_the_surveys_answers_name_the_survey(runner: Runner) -> None:
    columns: list[Any] = [sa.literal("101").label("card"), *[sa.literal("A").label(name) for name in DEMOGRAPHIC]]
    survey = sa.select(*columns).subquery("survey")
    records = [record("crm_member", "1", "c1", card="101"), record("crm_member", "2", "c2", card="102")]
    golden = Golden(runner).make(records, survey=("shop_survey", survey))
    assert [golden.contact(id)["age_band"] for id in ("c1", "c2")] == ["A", None]
    assert golden.origins()["age_band"] == ("shop_survey:101", "only")
    assert set(golden.origins("c2")) == {"card"}
