"""Coupons: one code for one person, never more than there are, redeemed once; and turns that run beside each other."""

import datetime as dt
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.coupon import CouponsUnreadable, codes_of, made_codes
from tests.conditions.world import Tables
from tests.journeys.company import KEY, Company, TableDesk, happened, journey, on_day
from vesper.address import AddressKey
from vesper.journey.turn import MOVE
from vesper.load import parse
from vesper.model.coupon import Coupons, Made
from warehouse.ledger.coupon import code_for, counted, free_codes, held_by, left, put_in_stock, redeem
from warehouse.ledger.engine import open_ledger
from warehouse.ledger.journey import Overtaken, Turned, keep

GIFT = "id: gift, give: {pool: ten_off}"


def pool(count: int, **more: str) -> str:
    lines = "".join(f"{key}: {value}\n" for key, value in more.items())
    return f"says: 券\nowner: marketing\nmade: {{count: {count}, prefix: TEN}}\n" + lines


@pytest.mark.requirement("R118")
def test_stock_ends_and_whoever_gets_none_is_told_apart(company: Company) -> None:
    company.define(
        coupons__ten_off=pool(2, warn_below="5", expires_after="7d"),
        journeys__j1=journey(
            GIFT, "id: got_none, branch: [{when: {refused: gift}, go: end}]", "id: hello, send: {content: hello}"
        ),
    )
    people = ["c1", "c2", "c3"]
    company.know(people, [happened("page_viewed", 1, f"1{n}:00", who) for n, who in enumerate(reversed(people))])
    advanced = company.night(dt.date(2018, 1, 2))
    assert advanced.decisions["j1"]["gift"] == {"given": 2, "out_of_stock": 1}
    assert advanced.low == {"ten_off": 0}
    assert {row["contact_id"] for row in company.coupons()} == {"c2", "c3"}  # who came first
    assert {row["contact_id"] for row in company.messages()} == {"c2", "c3"}
    assert {row["expires_at"] - row["given_at"] for row in company.coupons()} == {dt.timedelta(days=7)}


@pytest.mark.requirement("R118")
def test_a_person_has_one_code_of_a_pool(company: Company) -> None:
    company.define(coupons__ten_off=pool(9), journeys__j1=journey(GIFT, reentry="each"), journeys__j2=journey(GIFT))
    company.know(["c1"], [happened("page_viewed", 1), happened("page_viewed", 3)])
    company.night(dt.date(2018, 1, 2))
    company.night(dt.date(2018, 1, 4))
    (held,) = held_by(company.engine, ["c1"])
    assert Counter(row["outcome"] for row in company.visits()) == {"given": 1, "already_given": 2}
    assert code_for([held], "j1", "c1", 2) == held
    assert code_for([held], "j1", "c2", 1) is None


@pytest.mark.requirement("R118")
def test_a_redemption_is_known_by_the_code(company: Company) -> None:
    company.define(
        coupons__ten_off=pool(3, redeemed="{event: {kind: coupon_redeemed}, code_in: content_id}"),
        journeys__j1=journey(GIFT, "id: pause, wait: 3d", "id: hello, send: {content: hello}", goal="{redeemed: gift}"),
    )
    views = [happened("page_viewed", 1), happened("page_viewed", 1, contact_id="c2")]
    company.know(["c1", "c2"], views)
    company.night(dt.date(2018, 1, 2))
    code = next(row["code"] for row in company.coupons() if row["contact_id"] == "c1")
    told = [
        happened("coupon_redeemed", 2, "12:00", content_id=code),
        happened("coupon_redeemed", 2, "13:00", content_id="TEN0"),
    ]
    company.know(["c1", "c2"], [*views, *told, happened("coupon_redeemed", 3, "12:00", content_id=code)])
    for day in range(3, 8):
        company.night(dt.date(2018, 1, day))
    assert {row["contact_id"]: (row["state"], row["ended_at"]) for row in company.entries()} == {
        "c1": ("goal", on_day(2, "12:00")),
        "c2": ("done", on_day(4, "10:00")),
    }
    assert [row["redeemed_at"] for row in company.coupons()] == [
        on_day(2, "12:00") if row["contact_id"] == "c1" else None for row in company.coupons()
    ]
    assert redeem(company.engine, "ten_off", [(code, on_day(9))]) == 0


def test_codes_of_a_file_are_taken_once(company: Company) -> None:
    (company.root / "codes.csv").write_text("code,note\nA1,x\nB2,\nA1,again\n,\n", encoding="utf-8")
    company.define(coupons__ten_off="says: x\nowner: o\nfile: codes.csv\nwarn_below: 0\n", journeys__j1=journey(GIFT))
    company.know(["c1", "c2", "c3"], [happened("page_viewed", 1, contact_id=who) for who in ("c1", "c2", "c3")])
    company.night(dt.date(2018, 1, 2))
    assert sorted(row["code"] for row in company.coupons()) == ["A1", "B2"]
    (company.root / "codes.csv").write_text("code\nA1\nB2\nC3\n", encoding="utf-8")
    company.night(dt.date(2018, 1, 3))
    assert left(company.engine) == {"ten_off": 1}


@pytest.mark.parametrize(
    ("file", "text", "says"), [("../x.csv", "code\n", "no file"), ("x.csv", "Code\nA\n", "no column code")]
)
def test_a_file_that_is_none_is_a_sentence(tmp_path: Path, file: str, text: str, says: str) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "x.csv").write_text(text, encoding="utf-8")
    (tmp_path / "x.csv").write_text(text, encoding="utf-8")
    one = parse("coupons", "ten_off", f"says: x\nowner: o\nfile: {file}\n")
    assert isinstance(one, Coupons)
    with pytest.raises(CouponsUnreadable, match=says):
        list(codes_of(tmp_path / "in", one))


@given(st.integers(1, 400), st.integers(8, 24), st.sampled_from(["a", "b"]))
@settings(max_examples=20)
def test_made_codes_are_the_same_every_time_and_all_different(count: int, length: int, pool_id: str) -> None:
    made, key = Made(count=count, length=length, prefix="X"), AddressKey(KEY.encode())
    codes = list(made_codes(pool_id, made, key))
    assert codes == list(made_codes(pool_id, made, key))
    assert len(set(codes)) == count
    assert {len(code) for code in codes} == {length + 1}
    assert not set(codes) & set(made_codes(pool_id, made, AddressKey(b"another key of quite some length......")))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def ledger_of_many(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, postgres_server: str
) -> Any:
    from tests.postgres import new_database

    root = tmp_path_factory.mktemp("many")
    engine = open_ledger(f"sqlite:///{root / 'l.db'}" if request.param == "sqlite" else new_database(postgres_server))
    yield engine
    engine.dispose()


def gift(engine: sa.Engine, people: list[str]) -> int:
    """What a turn does: read what is free, decide, keep; again when somebody was faster."""
    for _ in range(50):
        taken = {one.contact_id for one in held_by(engine, people)}
        wanting = [who for who in people if who not in taken]
        codes = free_codes(engine, "ten_off", len(wanting))["code"].to_pylist()
        at = dt.datetime(2018, 1, 2)
        rows = [
            {
                "pool_id": "ten_off",
                "code": code,
                "contact_id": who,
                "occurrence": 1,
                "step_id": "gift",
                "reference": "j1|gift|1",
            }
            | {"given_at": at, "expires_at": None}
            for who, code in zip(wanting, codes, strict=False)
        ]
        schema = pa.schema(
            [
                *[(n, pa.string()) for n in ("pool_id", "code", "contact_id", "step_id", "reference")],
                ("occurrence", pa.int32()),
                ("given_at", pa.timestamp("us")),
                ("expires_at", pa.timestamp("us")),
            ]
        )
        try:
            return keep(
                engine, [Turned("j1", gifts=[pa.Table.from_pylist(rows, schema)])], dt.date(2018, 1, 2), at
            ).coupons
        except Overtaken:
            continue
    raise AssertionError("never got through")


@pytest.mark.requirement("R118")
@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(
    stock=st.integers(0, 12),
    groups=st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=6, unique=True), min_size=2, max_size=5),
)
def test_never_one_code_twice_and_never_more_than_the_stock(
    ledger_of_many: sa.Engine, stock: int, groups: list[list[int]]
) -> None:
    with ledger_of_many.begin() as connection:
        connection.exec_driver_sql("delete from coupon")
    put_in_stock(ledger_of_many, "ten_off", [f"C{n:03}" for n in range(stock)])
    with ThreadPoolExecutor(len(groups)) as threads:
        given_to = sum(threads.map(lambda group: gift(ledger_of_many, [f"c{n}" for n in group]), groups))
    people = {f"c{n}" for group in groups for n in group}
    held = held_by(ledger_of_many, people)
    assert counted(ledger_of_many) == ({"ten_off": stock} if stock else {})
    assert len(held) == given_to == min(stock, len(people))
    assert len({one.code for one in held}) == len({one.contact_id for one in held}) == len(held)


@pytest.mark.requirement("R118")
def test_two_turns_beside_each_other_take_everybody_once(any_company: Company) -> None:
    """The second reads before the first keeps: it notices, reads again, and finds nothing left to do."""
    company = any_company
    company.define(
        coupons__ten_off=pool(50, warn_below="0"),
        journeys__j1=journey(GIFT, "id: hello, send: {content: hello}", "id: pause, wait: 2d"),
    )
    people = [f"c{n}" for n in range(8)]
    company.know(people, [happened("page_viewed", 1, contact_id=who) for who in people])
    other = Company(Tables(), company.engine, company.root, texts=company.texts, facts=company.facts)

    class Interrupted(TableDesk):
        """Another turn runs from beginning to end while this one decides."""

        is_first = True

        def materialize(self, select: Any, name: str) -> sa.Table:
            if name == MOVE.name and Interrupted.is_first:
                Interrupted.is_first = False
                other.night(dt.date(2018, 1, 2))
            return super().materialize(select, name)

    company.desk = Interrupted
    advanced = company.night(dt.date(2018, 1, 2))
    assert (advanced.tries, advanced.kept.entered, advanced.kept.messages) == (2, 0, 0)
    assert len(company.entries()) == len(company.messages()) == len(company.coupons()) == 8
    assert len({row["code"] for row in company.coupons()}) == 8
