"""How a table is declared: columns with descriptions and checks, a grain that is a total key, an owner.

The declaration decides the bytes of a table (types, order), its gate (checks) and its page in the data dictionary. No table is declared elsewhere.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import sqlalchemy as sa

METADATA = sa.MetaData()

TEXT = sa.String()
INTEGER = sa.Integer()
BIG = sa.BigInteger()
MONEY = sa.Numeric(12, 2)
RATIO: sa.Double[float] = sa.Double()
DATE = sa.Date()
INSTANT = sa.DateTime()
FLAG = sa.Boolean()

PREVIOUS = "__previous"
AGO = "__ago_"
Severity = Literal["critical", "warning"]
Derivation = Callable[[sa.FromClause, sa.ColumnElement[Any]], sa.ColumnElement[Any]]
"""A column's value from the stored columns of its row and the business date of the snapshot that is read."""


def column(
    name: str,
    kind: sa.types.TypeEngine[Any],
    says: str,
    *,
    required: bool = False,
    between: tuple[Any, Any] | None = None,
    among: Sequence[str] | None = None,
    severity: Severity = "critical",
) -> sa.Column[Any]:
    """A column with its description and its checks.

    `required` means never null; `between` is inclusive; `among` lists the allowed values. `severity` is that of `between` and `among`.
    """
    checks = {"required": required, "between": between, "among": tuple(among) if among else None, "severity": severity}
    return sa.Column(name, kind, nullable=not required, comment=says, info=checks)


def table(
    name: str,
    *columns: sa.Column[Any],
    grain: Sequence[str],
    owner: str,
    says: str,
    cut: str | None = None,
    minimum_rows: int = 0,
    personal: Sequence[str] = (),
    patched: bool = False,
    derived: Mapping[str, Derivation] | None = None,
    metadata: sa.MetaData = METADATA,
) -> sa.Table:
    """Declare a table of the lake.

    Args:
        grain: the columns that identify a row; the file is ordered by them, so they must be a total key.
        cut: the date column by which the table is cut into parts (days in the open month, closed months whole), or None for one part.
        minimum_rows: an emptier table fails its gate, because every other check passes vacuously on no rows.
        personal: columns that hold personal data; default exports leave them out (R122).
        patched: a night may write only what differs from a whole part of an earlier night (`Bench.patch`).
        derived: columns that no file holds, each with how it is computed when the table is read.
    """
    if patched and cut:
        raise ValueError(f"{name}: a table is cut by date or patched, not both")
    info = {
        "grain": tuple(grain),
        "owner": owner,
        "cut": cut,
        "minimum_rows": minimum_rows,
        "personal": tuple(personal),
        "patched": patched,
        "derived": dict(derived or {}),
    }
    return sa.Table(name, metadata, *columns, comment=says, info=info)


def the_night(_stored: sa.FromClause, on: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """The derivation of a column that says which night a row is of, such as business_on."""
    return on


def stored(declared: sa.Table) -> sa.Table:
    """The table as its files hold it: without derived columns, in its grain neither."""
    derived = declared.info.get("derived", {})
    if not derived:
        return declared
    columns = [sa.Column(c.name, c.type, nullable=c.nullable, comment=c.comment, info=c.info) for c in declared.c]
    grain = tuple(name for name in declared.info["grain"] if name not in derived)
    info = declared.info | {"grain": grain, "derived": {}}
    kept = [column for column in columns if column.name not in derived]
    return sa.Table(declared.name, sa.MetaData(), *kept, comment=declared.comment, info=info)


def previous(declared: sa.Table) -> sa.Table:
    """The same table as it was published for the latest business date before this night's."""
    return declared.to_metadata(sa.MetaData(), name=declared.name + PREVIOUS)


def days_ago(declared: sa.Table, days: int) -> sa.Table:
    """The same table as it was in force so many days before this night; without a row where that night is no longer kept."""
    return declared.to_metadata(sa.MetaData(), name=f"{declared.name}{AGO}{days}d")


def night_of(name: str, business_on: dt.date) -> tuple[str, dt.date]:
    """The declared table behind a name that a Select reads, and the date as of which it is meant."""
    base, separator, days = name.partition(AGO)
    if separator:
        return base, business_on - dt.timedelta(days=int(days.removesuffix("d")))
    before = dt.timedelta(days=name.endswith(PREVIOUS))
    return name.removesuffix(PREVIOUS), business_on - before


def empty(declared: sa.Table) -> sa.Select[Any]:
    """A Select with the declared columns and no row."""
    return sa.select(*[sa.cast(sa.null(), c.type).label(c.name) for c in declared.c]).where(sa.false())
