"""The golden company: what survives of everything that is said of it, and its parent (R117).

A company is known by its key, the name without its legal form. What belongs here: core__company. What does not: who says what of a company
(`company_statement.py`), and which parents can be kept (`hierarchy.py`).
"""

from typing import Any

import sqlalchemy as sa

from vesper.consolidate.company_statement import AS_PARENT
from vesper.consolidate.hierarchy import parents
from vesper.consolidate.survivorship import Level, Part, placed, seated, survived
from vesper.model.survivorship import Preference, SurvivorshipPolicy
from vesper.tables.company import COMPANY

ID_LENGTH = 16


def _standing(rows: sa.FromClause) -> sa.ColumnElement[int]:
    return sa.cast(rows.c.standing, sa.Integer)


def _with_city(rows: sa.FromClause) -> sa.ColumnElement[int]:
    return sa.case((rows.c.city.is_not(None), 0), else_=1)


_BY_STANDING: dict[Preference, Level] = {"stated": _standing}
PARTS: dict[str, Part] = {
    "name": Part(("company",), _BY_STANDING),
    "domain": Part(("domain",), _BY_STANDING),
    "industry": Part(("industry",), _BY_STANDING),
    "region": Part(("region", "province", "city"), {**_BY_STANDING, "complete": _with_city}),
    "employee_count": Part(("employee_count",), _BY_STANDING),
    "parent": Part(("parent_key",), _BY_STANDING),
    "role": Part(("role",), _BY_STANDING),
}
"""Parts of core__company; a test holds them against the parts that the policy may name."""


def company_id(key: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    """The id of the company with this key."""
    return sa.literal("o") + sa.func.substr(sa.func.md5(key), 1, ID_LENGTH)


def golden(statement: sa.FromClause, keys: sa.FromClause, policy: SurvivorshipPolicy) -> sa.Select[Any]:
    """One row for each company: what survives of each part of what is said of it.

    Args:
        statement, keys: the rows of `company_statement.statements`, and the keys of names that it was made with.
    """
    rows = seated(_with_parents(statement, keys).cte("named"), "company_key").cte("seated")
    rules = {name: policy.rule("company", name) for name in PARTS}
    return survived(placed(rows, "company_key", PARTS, rules).cte("placed"), "company_key", PARTS)


def companies(gold: sa.FromClause) -> sa.Select[Any]:
    """core__company from the rows of `golden`, parents by id and without rings."""
    above = parents(gold, "company_key", "parent_key").cte("above")
    columns: dict[str, sa.ColumnElement[Any]] = {c.name: gold.c[c.name] for c in COMPANY.c if c.name in gold.c}
    columns |= {
        "company_id": company_id(gold.c.company_key),
        "name": gold.c.company,
        "parent_id": company_id(above.c.parent_key),
    }
    joined = gold.join(above, above.c.company_key == gold.c.company_key, isouter=True)
    return sa.select(*[columns[c.name].label(c.name) for c in COMPANY.c]).select_from(joined)


def _with_parents(statement: sa.FromClause, keys: sa.FromClause) -> sa.CompoundSelect[Any]:
    """Statements with their region as one value and their parent's key; and a statement of each parent, so that it exists."""
    place = sa.func.concat_ws("/", statement.c.province, statement.c.city, type_=sa.String)
    region = sa.case((statement.c.province.is_not(None), place))
    another = sa.case((keys.c.key.is_distinct_from(statement.c.company_key), keys.c.key))
    said = (
        sa.select(statement, region.label("region"), another.label("parent_key"))
        .select_from(statement.join(keys, keys.c.written == statement.c.parent, isouter=True))
        .cte("said")
    )
    as_parent: dict[str, sa.ColumnElement[Any]] = {
        name: said.c[name] for name in ("source", "record_key", "trust", "moment")
    }
    as_parent |= {"company": said.c.parent, "company_key": said.c.parent_key, "standing": sa.literal(AS_PARENT)}
    columns = [as_parent.get(c.name, sa.cast(sa.null(), c.type)).label(c.name) for c in said.c]
    return sa.union_all(sa.select(said), sa.select(*columns).where(said.c.parent_key.is_not(None)))
