"""Who gets whom: free places of the team, dealt out evenly (R69).

What belongs here: the places, as a pure function of the policy and the load. What does not: the Select that puts contacts on them
(`vesper/handover.py`). Contacts are never looped over: as many places are made as there are contacts and room.

Contacts whom the same people may take form one *cell*, named by a 1 or 0 for each representative of the policy. A cell's places go one by one to
whoever has the fewest open hand-overs, and among those to the one named first, never beyond a limit. So two representatives with the same regions
and limit who began within one hand-over of each other end within one.
"""

import heapq
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from vesper.model.sales import SalesPolicy
from vesper.tables.contact import CONTACT


@dataclass(frozen=True)
class Place:
    """Room for one contact: the cell it is in, its number there from 1, and whose it is."""

    cell: str
    number: int
    owner: str


def cell(policy: SalesPolicy) -> sa.ColumnElement[str]:
    """SQL: the cell of a contact of `core__contact`, one digit for each representative in the policy's order."""
    digits: sa.ColumnElement[str] = sa.literal("")
    for person in policy.team.values():
        digits = digits + (sa.case((_is_theirs(person.regions), "1"), else_="0") if person.regions else sa.literal("1"))
    return digits


def places(policy: SalesPolicy, waiting: Mapping[str, int], load: Mapping[str, int]) -> list[Place]:
    """The places for waiting contacts.

    Args:
        waiting: contacts by cell. Cells that fewer people may take are served first, so that those with more choice leave them room.
        load: open hand-overs by representative.
    """
    loads = {owner: load.get(owner, 0) for owner in policy.team}
    made: list[Place] = []
    for name in sorted(waiting, key=lambda cell: (cell.count("1"), cell)):
        made += _of_cell(policy, name, waiting[name], loads)
    return made


def _of_cell(policy: SalesPolicy, name: str, count: int, loads: dict[str, int]) -> list[Place]:
    order = list(policy.team)
    free = [(loads[order[n]], n) for n, digit in enumerate(name) if digit == "1"]
    free = [(held, n) for held, n in free if held < policy.team[order[n]].open_limit]
    heapq.heapify(free)
    made: list[Place] = []
    while free and len(made) < count:
        held, n = heapq.heappop(free)
        owner = order[n]
        loads[owner] = held + 1
        made.append(Place(name, len(made) + 1, owner))
        if held + 1 < policy.team[owner].open_limit:
            heapq.heappush(free, (held + 1, n))
    return made


def _is_theirs(regions: tuple[str, ...]) -> sa.ColumnElement[bool]:
    """A region is a province or a city; a contact without either is nobody's of a region."""
    listed = sorted(set(regions))
    return sa.func.coalesce(sa.or_(CONTACT.c.province.in_(listed), CONTACT.c.city.in_(listed)), sa.false())
