"""An address has one keyed hash, in Python and in SQL; a ledger of bare hashes is carried over to it exactly; its key is made once."""

import datetime as dt
import hashlib
import hmac
from collections.abc import Iterator
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from tests.send.company import CONSENTED_AT, KEY, hashed, messages, people, planned, rows_of, statement
from tests.send.company import campaign as campaign_of
from tests.send.company import definitions as definitions_of
from vesper.address import ADDRESS_KEY, AddressKey, address_hash, hashed_address, keyed_hash, unkeyed_hash
from vesper.address import hashed as hashed_in_sql
from vesper.marts import reads
from warehouse.lake import Lake
from warehouse.ledger.consent import append_consent, suppress
from warehouse.ledger.schema import CONSENT, MESSAGE, SUPPRESSION
from warehouse.ledger.suppression import AddressKeyWrong, bind_key, keep_out, take_key
from warehouse.runner import Runner
from warehouse.secret import VARIABLE, address_key
from warehouse.sql_text import sql_text

OURS = AddressKey(KEY.encode())
OTHER = AddressKey(b"another key, which is as long as a key has to be")


@pytest.fixture(scope="module")
def duck() -> Iterator[sa.Engine]:
    engine = sa.create_engine("duckdb:///:memory:", poolclass=sa.pool.StaticPool)
    ADDRESS_KEY.create(engine)
    yield engine
    engine.dispose()


@pytest.mark.requirement("R90")
@given(
    key=st.binary(min_size=1, max_size=100),
    addresses=st.lists(
        st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20), min_size=1, max_size=10
    ),
)
def test_sql_and_python_agree(duck: sa.Engine, key: bytes, addresses: list[str]) -> None:
    inner, outer = AddressKey(key).pads
    written = sa.values(sa.column("n", sa.Integer), sa.column("address", sa.String), name="a").data(
        list(enumerate(addresses))
    )
    address = written.c.address
    select = sa.select(hashed_address("email", address), hashed_in_sql("record", address)).order_by(written.c.n)
    with duck.begin() as connection:
        connection.execute(sa.delete(ADDRESS_KEY))
        connection.execute(sa.insert(ADDRESS_KEY), {"inner_pad": inner, "outer_pad": outer})
        rows = [tuple(row) for row in connection.execute(select)]
    ours = AddressKey(key)
    assert rows == [(address_hash(ours, "email", one), keyed_hash(ours, "record", one)) for one in addresses]


@given(key=st.binary(min_size=1, max_size=200), address=st.text(min_size=1, max_size=20))
def test_the_hash_is_the_standard_hmac_over_the_bare_hash(key: bytes, address: str) -> None:
    bare = hashlib.sha256(f"record:{address}".encode(errors="surrogatepass")).hexdigest()
    assert AddressKey(key).over(bare) == hmac.new(key, bare.encode(), hashlib.sha256).hexdigest()


def test_case_and_blanks_do_not_matter_and_the_channel_and_the_key_do() -> None:
    assert hashed("email", " Ming@QQ.com ") == hashed("email", "ming@qq.com")
    assert hashed("email", "+8613812345678") != hashed("sms", "+8613812345678")
    assert hashed("email", "ming@qq.com") != address_hash(OTHER, "email", "ming@qq.com")
    assert KEY not in repr(OURS)


@pytest.mark.requirement("R90")
def test_neither_sql_nor_recipe_holds_the_key(ledger: sa.Engine, tmp_path: Path) -> None:
    select = sa.select(hashed_address("email", sa.literal("ming@qq.com")).label("address_hash"))
    assert reads(select) == {ADDRESS_KEY.name}
    inner, outer = OURS.pads
    with Runner(Lake(tmp_path / "lake", ledger)) as runner:
        bind_key(runner, OURS)
        assert runner.scalar(select) == hashed("email", "ming@qq.com")
        said = sql_text(select) + repr(runner.bound)
    assert not [secret for secret in (KEY, inner.hex(), outer.hex(), repr(inner)) if secret in said]
    assert OURS.id in said


@pytest.mark.requirement("R88", "R90")
def test_a_ledger_of_bare_hashes_is_carried_over_exactly(any_ledger: sa.Engine, tmp_path: Path) -> None:
    planned(any_ledger, definitions_of(campaign_of()), tmp_path, people(3))
    bare = {name: unkeyed_hash("email", f"person{name}@example.com") for name in range(3)}
    append_consent(any_ledger, [statement("x@qq.com", address_hash=unkeyed_hash("email", "x@qq.com"))])
    suppress(any_ledger, "email", unkeyed_hash("email", "no@qq.com"), "complained", CONSENTED_AT)
    with any_ledger.begin() as connection:  # as a ledger before revision 0002 held them
        for table in (CONSENT, MESSAGE):
            for name, hash in bare.items():
                mine = table.c.address_hash == hashed("email", f"person{name}@example.com")
                connection.execute(sa.update(table).where(mine).values(address_hash=hash))
    carried = take_key(any_ledger, OURS)
    assert (carried, take_key(any_ledger, OURS)) == (8, 0)
    people_known = {hashed("email", f"person{name}@example.com") for name in range(3)}
    assert {row.address_hash for row in messages(any_ledger)} == people_known
    assert {row.address_hash for row in rows_of(any_ledger, sa.select(CONSENT))} == people_known | {
        hashed("email", "x@qq.com")
    }
    assert [row.address_hash for row in rows_of(any_ledger, sa.select(SUPPRESSION))] == [hashed("email", "no@qq.com")]


@pytest.mark.requirement("R90")
def test_a_ledger_refuses_another_key(any_ledger: sa.Engine) -> None:
    take_key(any_ledger, OURS)
    with pytest.raises(AddressKeyWrong, match=rf"{OURS.id}.*{OTHER.id}.*backup"):
        take_key(any_ledger, OTHER)
    take_key(any_ledger, OURS)


def test_of_two_processes_with_a_new_ledger_one_binds_it(any_ledger: sa.Engine) -> None:
    append_consent(any_ledger, [statement("x@qq.com", address_hash=unkeyed_hash("email", "x@qq.com"))])
    with ThreadPool(4) as pool:
        assert sum(pool.map(lambda _: take_key(any_ledger, OURS), range(4))) == 1
    assert [row.address_hash for row in rows_of(any_ledger, sa.select(CONSENT))] == [hashed("email", "x@qq.com")]


@pytest.mark.requirement("R90")
def test_many_addresses_are_kept_out_at_once_and_the_first_reason_stays(any_ledger: sa.Engine) -> None:
    suppress(any_ledger, "email", hashed("email", "a@qq.com"), "complained", CONSENTED_AT)
    both: list[tuple[str, str]] = [("email", hashed("email", "a@qq.com")), ("sms", hashed("sms", "+8613812345678"))]
    with any_ledger.begin() as connection:
        assert keep_out(connection, [*both, *both], "erased", dt.datetime(2018, 1, 1)) == 1
    reasons = {row.channel: row.reason for row in rows_of(any_ledger, sa.select(SUPPRESSION))}
    assert reasons == {"email": "complained", "sms": "erased"}


def test_a_workspace_makes_its_key_once_for_its_owner_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE)
    with ThreadPool(8) as pool:
        keys: set[Any] = {key.secret for key in pool.map(address_key, [tmp_path / ".vesper"] * 16)}
    (file,) = (tmp_path / ".vesper").iterdir()
    assert len(keys) == 1
    assert (file.name, file.stat().st_mode & 0o777, len(file.read_text())) == ("secret", 0o600, 64)


def test_the_environment_goes_before_the_file_and_a_short_key_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert address_key(tmp_path) == OURS
    monkeypatch.setenv(VARIABLE, "short")
    with pytest.raises(LookupError, match=f"{VARIABLE} has fewer than 32"):
        address_key(tmp_path)
    monkeypatch.delenv(VARIABLE)
    (tmp_path / "secret").write_text("")
    with pytest.raises(LookupError, match="backup"):
        address_key(tmp_path)
