"""What sales say of invented contacts, as plain rows and as the tables made of them.

What belongs here: BANT statements, lead outcomes and leads. What does not: all other facts (`world.py`), what conditions mean by them (`oracle.py`).
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from vesper.tables.sales import BANT, LEAD_OUTCOME


@dataclass(frozen=True)
class Statement:
    """One BANT statement; statements of one instant differ by their key."""

    contact_id: str | None
    dimension: str
    value: str
    at: dt.datetime
    source: str = "crm_bant"


@dataclass(frozen=True)
class Outcome:
    """What became of a lead."""

    contact_id: str | None
    outcome: str
    on: dt.date
    reason: str | None = None
    at_time: dt.time = dt.time(6)

    @property
    def at(self) -> dt.datetime:
        return dt.datetime.combine(self.on, self.at_time)


@dataclass(frozen=True)
class Lead:
    """Where a contact's lead stands."""

    status: str
    opened_at: dt.datetime
    closed_at: dt.datetime | None = None
    recycle_count: int = 0
    reason: str | None = None


@dataclass(frozen=True)
class Sales:
    """All that sales said."""

    bant: tuple[Statement, ...] = ()
    outcomes: tuple[Outcome, ...] = ()


def sales_tables(sales: Sales) -> dict[sa.Table, list[dict[str, Any]]]:
    """Rows of core__bant and core__lead_outcome."""
    return {
        BANT: [
            {
                "contact_id": said.contact_id,
                "dimension": said.dimension,
                "value": said.value,
                "source": said.source,
                "record_key": f"b{number:03}",
                "at": said.at,
            }
            for number, said in enumerate(sales.bant)
        ],
        LEAD_OUTCOME: [
            {
                "contact_id": said.contact_id,
                "outcome": said.outcome,
                "reason_code": said.reason,
                "source": "call_result",
                "record_key": f"r{number:03}",
                "on": said.on,
                "at": said.at,
            }
            for number, said in enumerate(sales.outcomes)
        ],
    }


def lead_rows(leads: Mapping[str, Lead]) -> list[dict[str, Any]]:
    """Rows of mart__lead."""
    return [
        {
            "contact_id": id,
            "status": lead.status,
            "opened_at": lead.opened_at,
            "closed_at": lead.closed_at,
            "recycle_count": lead.recycle_count,
            "reason_code": lead.reason,
        }
        for id, lead in leads.items()
    ]
