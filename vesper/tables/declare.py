"""How a table is declared: columns with descriptions and checks, a grain that is a total key, an owner.

The declaration decides the bytes of a table (types, order), its gate (checks) and its page in the data dictionary. No table is declared elsewhere.
"""

from collections.abc import Sequence
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
Severity = Literal["critical", "warning"]


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
    metadata: sa.MetaData = METADATA,
) -> sa.Table:
    """Declare a table of the lake.

    Args:
        grain: the columns that identify a row; the file is ordered by them, so they must be a total key.
        cut: the date column by which the table is cut into parts (days in the open month, closed months whole), or None for one part.
        minimum_rows: an emptier table fails its gate, because every other check passes vacuously on no rows.
        personal: columns that hold personal data; default exports leave them out (R122).
    """
    info = {
        "grain": tuple(grain),
        "owner": owner,
        "cut": cut,
        "minimum_rows": minimum_rows,
        "personal": tuple(personal),
    }
    return sa.Table(name, metadata, *columns, comment=says, info=info)


def previous(declared: sa.Table) -> sa.Table:
    """The same table as it was published for the latest business date before this night's."""
    return declared.to_metadata(sa.MetaData(), name=declared.name + PREVIOUS)


def empty(declared: sa.Table) -> sa.Select[Any]:
    """A Select with the declared columns and no row."""
    return sa.select(*[sa.cast(sa.null(), c.type).label(c.name) for c in declared.c]).where(sa.false())
