"""Selects that could differ between two runs are refused, wherever the unstable function stands in them."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by

from tests.small_grocer import define
from vesper.marts import all_marts
from vesper.tables.declare import DATE, INTEGER, MONEY, RATIO, TEXT, column, table
from warehouse.house import House
from warehouse.lake import Lake
from warehouse.lint import GATHERED, SUMS, UNSTABLE, UnstableSelect, refuse_unstable
from warehouse.runner import Runner

THING = table(
    "core__lint",
    column("id", TEXT, "Id", required=True),
    column("amount", MONEY, "Money"),
    column("share", RATIO, "Share"),
    column("number", INTEGER, "Number"),
    column("on", DATE, "Day"),
    grain=("id",),
    owner="data",
    says="A table for these tests.",
    metadata=sa.MetaData(),
)


def refused(expression: sa.ColumnElement[Any]) -> str:
    with pytest.raises(UnstableSelect) as refusal:
        refuse_unstable(sa.select(expression.label("x")), "core__lint")
    return str(refusal.value)


@pytest.mark.requirement("R62")
@pytest.mark.parametrize("name", UNSTABLE)
def test_each_unstable_function_is_refused_with_its_mend(name: str) -> None:
    sentence = refused(getattr(sa.func, name)(THING.c.number))
    assert sentence == f"core__lint: {name}() {UNSTABLE[name]}"
    assert refused(getattr(sa.func, name.upper())(THING.c.number)).startswith("core__lint: ")


@pytest.mark.requirement("R62")
@pytest.mark.parametrize("name", SUMS)
def test_sums_of_doubles_and_of_divisions_are_refused(name: str) -> None:
    function = getattr(sa.func, name)
    for inexact in (THING.c.share, THING.c.number / 7, sa.cast(THING.c.number, sa.Float), THING.c.share * 2):
        assert "cast to Numeric first" in refused(function(inexact))
    for exact in (THING.c.amount, THING.c.number, sa.cast(THING.c.number / 7, MONEY)):
        refuse_unstable(sa.select(function(exact)), "core__lint")


@pytest.mark.parametrize("name", GATHERED)
def test_gathering_needs_an_order(name: str) -> None:
    assert "gathers rows in any order" in refused(getattr(sa.func, name)(THING.c.id))
    ordered = aggregate_order_by(THING.c.id, THING.c.on, THING.c.id)
    refuse_unstable(sa.select(getattr(sa.func, name)(ordered)), "core__lint")


def test_an_unstable_function_is_found_wherever_it_stands() -> None:
    newest = sa.func.any_value(THING.c.id)
    cte = sa.select(newest.label("id")).group_by(THING.c.on).cte("inside")
    for select in (
        sa.select(newest.filter(THING.c.number > 1)),
        sa.select(newest.over(partition_by=THING.c.on)),
        sa.select(cte.c.id),
        sa.select(THING.c.id).where(THING.c.id.in_(sa.select(cte.c.id))),
        sa.union_all(sa.select(THING.c.id), sa.select(newest)),
        sa.select(sa.case((THING.c.number == 1, newest), else_=sa.null())),
        sa.select(THING.c.id).order_by(sa.func.random()),
    ):
        with pytest.raises(UnstableSelect):
            refuse_unstable(select, "core__lint")


def test_the_runner_refuses_before_it_writes(small_lake: Lake) -> None:
    select = sa.select(*[c for c in THING.c if c.name != "number"], sa.func.random().label("number"))
    with Runner(small_lake) as runner, pytest.raises(UnstableSelect, match=r"random\(\) is never the same twice"):
        runner.write(select, THING)
    assert list(small_lake.folder.glob("*/*.parquet")) == []


@pytest.mark.requirement("R62")
def test_no_mart_of_vesper_is_refused(tmp_path: Path) -> None:
    define(tmp_path / "grocer")
    house = House.open(tmp_path / "grocer")
    night = house.night(dt.date(2018, 1, 1))
    house.close()
    for name, mart in all_marts().items():
        refuse_unstable(mart.select(night), name)
