"""Whom a letter is written to: what the lake knows of some contacts, asked for by their ids.

What belongs here: that Select. What does not: the words made of it (`tasks/letters.py`), who is written to (`send.py`).
"""

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from vesper.tables.company import COMPANY
from vesper.tables.contact import CONTACT


def recipients_of(contact_ids: Collection[str]) -> sa.Select[Any]:
    """contact_id, email, name, city, province, job_title of some contacts, and their company's industry. Personal: they live as long as one batch."""
    columns = (CONTACT.c[name] for name in ("contact_id", "email", "name", "city", "province", "job_title"))
    with_company = CONTACT.join(COMPANY, COMPANY.c.company_id == CONTACT.c.company_id, isouter=True)
    return (
        sa.select(*columns, COMPANY.c.industry)
        .select_from(with_company)
        .where(CONTACT.c.contact_id.in_(sorted(set(contact_ids))))
    )
