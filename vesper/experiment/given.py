"""What an experiment makes of a sending: content and variant by arm, beside the columns that a plan keeps of it.

What belongs here: one call for `vesper/send_person.py`. What does not: who falls into which arm (`assign.py`).
"""

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from vesper.content_variant import variant_of
from vesper.experiment.assign import arms, by_arm, experiment_of
from vesper.model.content import DEFAULT, Content
from vesper.model.experiment import Experiment
from vesper.night import Night

Expression = sa.ColumnElement[Any]
ARM_COLUMNS = ("experiment_id", "arm_id")
"""What a plan carries of each person who takes part; the ledger keeps it as the assignment."""
WAITS = "waits"
"""Whether the person waits for the winner."""


@dataclass(frozen=True)
class Given:
    """What is joined to the people of a plan, what each of them gets, and further columns."""

    joined: sa.FromClause
    content_id: Expression
    variant: Expression
    columns: tuple[Expression, ...] = ()


def by_experiment(place: tuple[str, str], usual: Given, people: sa.FromClause, night: Night, at: dt.datetime) -> Given:
    """`usual` as it is, unless there is an experiment at the place: then by the arm of each person.

    Args:
        place: campaign or journey, and step.
        people: who is asked, with contact_id, a part of `usual.joined`.
        at: instant of planning; assignments before it hold.
    """
    experiment = experiment_of(night.definitions, *place, night.business_on)
    if experiment is None:
        return usual
    arm = arms(experiment, people, night, at).cte("arm")
    joined: sa.FromClause = usual.joined.outerjoin(arm, arm.c.contact_id == people.c.contact_id)
    joined, variant = _variant(experiment, replace(usual, joined=joined), arm, night)
    takes_part = sa.case((arm.c.arm_id.is_not(None), experiment.id))
    columns = (sa.cast(takes_part, sa.String).label(ARM_COLUMNS[0]), arm.c.arm_id, arm.c.waits.label(WAITS))
    return Given(joined, by_arm(experiment, arm.c.given_id, "content", usual.content_id), variant, columns)


def _variant(experiment: Experiment, usual: Given, arm: sa.CTE, night: Night) -> tuple[sa.FromClause, Expression]:
    """The arm's variant; with another content, the one that content has for the person."""
    joined, found = usual.joined, dict[str, Expression]()
    for one in experiment.arms:
        content = night.definitions.of(Content).get(one.content or "")
        if content is not None and content.variants:
            chosen = variant_of(content, night).cte(f"chosen_by_{one.id}")
            joined = joined.outerjoin(chosen, chosen.c.contact_id == arm.c.contact_id)
            found[one.id] = chosen.c.variant
        elif content is not None:
            found[one.id] = sa.literal(DEFAULT)
    otherwise: Expression = sa.case(found, value=arm.c.given_id, else_=usual.variant) if found else usual.variant
    return joined, by_arm(experiment, arm.c.given_id, "variant", otherwise)
