"""An address has one hash, in Python and in SQL."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from vesper.address import address_hash, hashed_address


@pytest.fixture(scope="module")
def duck() -> Iterator[sa.Engine]:
    engine = sa.create_engine("duckdb:///:memory:", poolclass=sa.pool.StaticPool)
    yield engine
    engine.dispose()


@given(
    addresses=st.lists(
        st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20), min_size=1, max_size=10
    )
)
def test_sql_and_python_agree(duck: sa.Engine, addresses: list[str]) -> None:
    written = sa.values(sa.column("n", sa.Integer), sa.column("address", sa.String), name="a").data(
        list(enumerate(addresses))
    )
    select = sa.select(hashed_address("email", written.c.address)).order_by(written.c.n)
    with duck.connect() as connection:
        assert list(connection.scalars(select)) == [address_hash("email", address) for address in addresses]


def test_case_and_blanks_do_not_matter_and_the_channel_does() -> None:
    assert address_hash("email", " Ming@QQ.com ") == address_hash("email", "ming@qq.com")
    assert address_hash("email", "+8613812345678") != address_hash("sms", "+8613812345678")
