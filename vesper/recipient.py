"""Whom a letter is written to: what the lake knows of some contacts, asked for by their ids.

What belongs here: that Select, and by which of their openids somebody is reached. What does not: the words made of it (`tasks/letters.py`), who
is written to (`send.py`).
"""

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from vesper.tables.company import COMPANY
from vesper.tables.contact import CONTACT, IDENTIFIER


def _openid(begins: str) -> sa.ScalarSelect[Any]:
    """SQL: the contact's openid, `app:id`, in an app whose id begins so; of several the first in the alphabet."""
    mine = IDENTIFIER.alias(f"identifier_{begins}")
    found = sa.select(sa.func.min(mine.c.value)).where(
        mine.c.kind == "openid", mine.c.contact_id == CONTACT.c.contact_id, mine.c.value.like(f"{begins}%:%")
    )
    return found.scalar_subquery()


OPENID = _openid("wx")
"""Ids of official accounts begin with wx."""
EXTERNAL_ID = _openid("ww")
"""Ids of companies in WeCom begin with ww."""


def recipients_of(contact_ids: Collection[str]) -> sa.Select[Any]:
    """contact_id, email, phone, name, city, province, job_title of some contacts, their openids, and their company's industry.

    Personal: they live as long as one batch.
    """
    columns = (CONTACT.c[name] for name in ("contact_id", "email", "phone", "name", "city", "province", "job_title"))
    with_company = CONTACT.join(COMPANY, COMPANY.c.company_id == CONTACT.c.company_id, isouter=True)
    return (
        sa.select(*columns, COMPANY.c.industry, OPENID.label("openid"), EXTERNAL_ID.label("external_id"))
        .select_from(with_company)
        .where(CONTACT.c.contact_id.in_(sorted(set(contact_ids))))
    )
