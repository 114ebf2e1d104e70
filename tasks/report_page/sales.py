"""Leads and sales on the page: leads and where they are lost, hand-overs and how soon sales answer (R43..R48, R63, R68).

What belongs here: reading. What does not: what a lead, a leak or a hand-over is. A company without leads or hand-overs has no such part.
"""

from dataclasses import dataclass
from typing import Any

from tasks.report_page import Reader
from vesper.key_figures import leads, leakage
from vesper.marts.follow_up import FOLLOW_UP
from vesper.model.sales import EVERYBODY, UNASSIGNED
from vesper.night import Night
from vesper.sales_figures import buried, buried_count, handover_states, lost_reasons, names_of_buried
from vesper.watch import of_tonight


@dataclass(frozen=True)
class BuriedLead:
    """A lead that nobody has spoken to for long; `name` is masked."""

    contact_id: str
    name: str
    status: str
    idle_days: int


@dataclass(frozen=True)
class LeadView:
    """Leads by where they stand, leaks to which it could have happened, buried leads, and why leads and deals were lost."""

    leads: tuple[Any, ...]
    leaks: tuple[Any, ...]
    buried: tuple[BuriedLead, ...]
    buried_count: int
    lost: tuple[Any, ...]

    @property
    def count(self) -> int:
        return sum(row.leads for row in self.leads)

    @property
    def is_empty(self) -> bool:
        return not (self.leads or self.leaks or self.buried or self.lost)


@dataclass(frozen=True)
class HandoverView:
    """Hand-overs by state, and the follow-up of each representative, the whole team last."""

    states: tuple[Any, ...]
    team: tuple[Any, ...]

    @property
    def tonight(self) -> int:
        return sum(row.tonight for row in self.states)

    @property
    def is_empty(self) -> bool:
        return not self.states


def read_leads(reader: Reader, night: Night) -> LeadView:
    names = {row.contact_id: row.name or "" for row in reader.rows(names_of_buried(night))}
    return LeadView(
        tuple(reader.rows(leads())),
        tuple(row for row in reader.rows(leakage(night)) if row.base_count),
        tuple(
            BuriedLead(row.contact_id, names.get(row.contact_id, ""), row.status, row.idle_days)
            for row in reader.rows(buried(night))
        ),
        reader.rows(buried_count())[0].people,
        tuple(reader.rows(lost_reasons(night))),
    )


def read_handovers(reader: Reader, night: Night) -> HandoverView:
    last = {UNASSIGNED: 1, EVERYBODY: 2}
    team = sorted(reader.rows(of_tonight(FOLLOW_UP, night)), key=lambda row: (last.get(row.owner, 0), row.owner))
    return HandoverView(tuple(reader.rows(handover_states(night))), tuple(team))
