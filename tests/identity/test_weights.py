"""What a night adds up is what Splink itself predicts, and what is left out before is in no pair (R5, R6)."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from bench.identity.file import opened
from bench.people import people
from tests.identity.test_linkage import COLUMNS, bound, contact, records, weights
from vesper.cleaning import company, email, name, phone
from vesper.identity.near import in_common
from vesper.model.linkage import Linkage, population
from warehouse.linkage import near_values, scored
from warehouse.linkage.levels import naming, unlike_sql
from warehouse.linkage.settings import linker_of, scaled, splink_settings
from warehouse.linkage.training import PREPARED, prepared
from warehouse.linkage.weights import weighed_sql
from warehouse.runner import Runner

TEXT = st.text(max_size=20)


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    with opened() as found:
        yield found


@pytest.mark.requirement("R5", "R6")
@pytest.mark.parametrize("conflict", [0, 12_000])
def test_a_weight_is_the_one_that_splink_predicts(runner: Runner, conflict: int) -> None:
    linkage = contact().model_copy(update={"name_conflict": conflict})
    assert linkage.model is not None
    with prepared(runner, bound(runner, records(120)), linkage) as count:
        model = scaled(linkage, linkage.model, population(count))
        runner.query(
            f"create or replace temp table test_pairs as select l.id as a, r.id as b from {PREPARED} l join {PREPARED} r on l.id < r.id"
        )
        found = runner.query(weighed_sql(linkage, model, "test_pairs", PREPARED)).fetchall()
        assert {(a, b): weight for a, b, weight in found} == _predicted(runner, linkage, model)
        assert len({weight for _, _, weight in found}) > 20


def _predicted(runner: Runner, linkage: Linkage, model: Any) -> dict[tuple[int, int], int]:
    """Splink's own weights of all pairs; the conflict of names is a comparison that only takes off."""
    settings = splink_settings(linkage, model) | {"blocking_rules_to_generate_predictions": ["1 = 1"]}
    if linkage.name_conflict:
        unlike = unlike_sql(linkage, naming(linkage) or "")
        shared = "coalesce(cast(phone_l = phone_r as integer), 0) + coalesce(cast(email_l = email_r as integer), 0)"
        described = [
            {"sql_condition": f"{shared} <= 1 and {unlike}", "label_for_charts": "conflict"}
            | {"m_probability": 2.0 ** (-linkage.name_conflict / 1000) / 2, "u_probability": 0.5},
            {"sql_condition": "ELSE", "label_for_charts": "none", "m_probability": 0.5, "u_probability": 0.5},
        ]
        settings["comparisons"].append({"output_column_name": "name_conflict", "comparison_levels": described})
    with linker_of(runner, PREPARED, settings) as linker:
        found = linker.inference.predict(warning_mode="never")
        weight = "cast(round(match_weight * 1000) as integer)"
        rows = runner.query(
            f"select least(id_l, id_r), greatest(id_l, id_r), {weight} from {found.physical_name}"
        ).fetchall()
    return {(a, b): weight for a, b, weight in rows}


@pytest.mark.requirement("R5", "R6")
def test_rows_that_have_no_rule_in_common_with_a_fresh_one_are_in_no_pair_with_it(runner: Runner) -> None:
    """Scored among those in common alone, fresh rows have the pairs and weights that they have among all rows."""
    linkage = contact().model_copy(update={"smallest": None})
    rules = near_values(linkage)
    assert rules
    every = _invented(runner, 3000)
    fresh = [record for place, record in enumerate(every.column("record").to_pylist()) if place % 40 == 0]
    runner.bind_arrow("fresh", pa.table({"record": pa.array(fresh, pa.string())}), "test")
    table = _as_table(runner, "every_row", every)
    chosen = sa.select(table).where(table.c.record.in_(fresh))
    fresh_rows = runner.materialize(chosen, "fresh_rows")
    near = runner.arrow(in_common(table, fresh_rows, rules, table.c.keys()))
    among = scored(runner, _as_table(runner, "near_rows", near.select(COLUMNS)), linkage, "fresh", every.num_rows)
    whole = scored(runner, _as_table(runner, "all_rows", every.select(COLUMNS)), linkage, "fresh")
    assert weights(among) == weights(whole)
    assert 0 < near.num_rows < every.num_rows
    assert len(weights(whole)) > 50


def _invented(runner: Runner, count: int) -> pa.Table:
    rows = []
    for one in people(count, 5).to_pylist():
        key = str(one["unique_id"])
        number = phone.read(one["phone"]).number if one["phone"] else None
        said = {
            "name_key": one["name"] and name.read(one["name"]),
            "phone": number,
            "email_key": one["email"] and email.read(one["email"]),
        }
        said |= {"company_key": one["company"] and company.read(one["company"]), "city": one["city"]}
        rows.append({"record": f"file:{key}", "source": "file", "record_key": key, **said})
    return pa.Table.from_pylist(rows, pa.schema([(c, pa.string()) for c in (*COLUMNS, "source", "record_key")]))


def _as_table(runner: Runner, table: str, rows: pa.Table) -> sa.Table:
    runner.bind_arrow(table, rows, table)
    return sa.Table(table, sa.MetaData(), *[sa.Column(c, sa.String) for c in rows.column_names])


@given(TEXT)
def test_a_cleaned_key_is_in_the_form_in_which_it_is_compared(text: str) -> None:
    """`linkage.fields.CLEANED` compares these columns as they stand."""
    read = phone.read(text)
    for value in (name.read(text), email.read(text), company.read(text), read.number, read.other):
        assert value is None or value == value.strip().lower() != ""
