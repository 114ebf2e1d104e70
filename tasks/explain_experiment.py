"""`vesper explain`: which arm of an experiment a person is in, by what is recorded of them.

What belongs here: the answer about one person. What does not: the experiment itself (`experiment_page.py`).
"""

from collections.abc import Iterable

import sqlalchemy as sa

from tasks.explain_asked import Asked, section, table
from vesper.model.experiment import Experiment
from vesper.model.outreach import Outreach
from warehouse.ledger.experiment_schema import EXPERIMENT_ASSIGNMENT


def arms_of(asked: Asked, contact_id: str, own: Outreach) -> Iterable[str]:
    """The arms that a contact is in, of the experiments about a campaign or journey; nothing without one."""
    about = [
        one
        for one in asked.definitions("send").of(Experiment).values()
        if own.id in (one.about, *[arm.journey for arm in one.arms])
    ]
    mine = sa.select(EXPERIMENT_ASSIGNMENT).where(EXPERIMENT_ASSIGNMENT.c.contact_id == contact_id)
    kept = {row.experiment_id: row for row in asked.ledger(mine)} if about else {}
    rows = [
        [one.id, one.question, kept[one.id].arm_id, str(kept[one.id].business_on)] for one in about if one.id in kept
    ]
    if rows:
        _ = asked._
        yield section(_("Experiments"), table([_("experiment"), _("question"), _("arm"), _("night")], rows))
