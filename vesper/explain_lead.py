"""What `vesper explain` asks of a contact's lead: where it stands, what sales said, which BANT statements there are (R44, R55).

What belongs here: those Selects. What does not: the words (`tasks/explain_lead.py`) and what a BANT statement says, which may be anything a person typed.
"""

from typing import Any

import sqlalchemy as sa

from vesper.marts.lead import LEAD
from vesper.marts.lifecycle import LIFECYCLE
from vesper.tables.sales import BANT, LEAD_OUTCOME


def lead(contact_id: str) -> sa.Select[Any]:
    """The contact's lead, if it ever was one."""
    return LEAD.select().where(LEAD.c.contact_id == contact_id)


def outcomes(contact_id: str) -> sa.Select[Any]:
    """Everything sales said of the contact's leads, the newest first."""
    said = LEAD_OUTCOME.c
    columns = [said.at, said.outcome, said.reason_code, said.source, said.handover_id]
    return (
        sa.select(*columns).where(said.contact_id == contact_id).order_by(said.at.desc(), said.source, said.record_key)
    )


def bant(contact_id: str) -> sa.Select[Any]:
    """When and by which source each BANT statement was made, the newest first; the first of a dimension counts."""
    said = BANT.c
    newest = [said.at.desc(), said.source.desc(), said.record_key.desc()]
    columns = [said.dimension, said.at, said.source, said.record_key]
    return sa.select(*columns).where(said.contact_id == contact_id).order_by(said.dimension, *newest)


def refused_stage(contact_id: str) -> sa.Select[Any]:
    """The stage that holds but may not be entered from where the contact stands (R41)."""
    stage = LIFECYCLE.c
    return sa.select(stage.refused_stage).where(stage.contact_id == contact_id, stage.refused_stage.is_not(None))
