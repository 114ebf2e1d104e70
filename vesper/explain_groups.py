"""What `vesper explain` asks of a contact's tags, tiers and personas: which it has tonight, and since when.

What belongs here: that Select. What does not: the words (`tasks/explain_groups.py`) and segments (`explain.py`), whose leavers are told, too.
"""

from typing import Any

import sqlalchemy as sa

from vesper.marts.persona import PERSONA
from vesper.marts.tag import TAG
from vesper.marts.tier import TIER

NO_TIER = sa.cast(sa.null(), sa.String)


def groups(contact_id: str) -> sa.CompoundSelect[Any]:
    """folder, id, tier (empty but for tierings), since_on."""
    marts = (("tags", TAG, "tag_id"), ("tiers", TIER, "tiering_id"), ("personas", PERSONA, "persona_id"))
    parts = [
        sa.select(
            sa.literal(folder).label("folder"),
            mart.c[id].label("id"),
            (mart.c.tier if folder == "tiers" else NO_TIER).label("tier"),
            mart.c.since_on,
        ).where(mart.c.contact_id == contact_id)
        for folder, mart, id in marts
    ]
    return sa.union_all(*parts).order_by("folder", "id")
