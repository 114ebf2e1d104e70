"""The ledger's tables of the web app: what it looks up before it answers.

What belongs here: the tables. What does not: what came in (`send_schema.py`, `inbox`). A change here needs a migration. Instants are UTC and naive.
"""

import sqlalchemy as sa
from sqlalchemy import Column, DateTime, String, Text, UniqueConstraint

from warehouse.ledger.schema import LEDGER

LINK = sa.Table(
    "link",
    LEDGER,
    Column("link_id", String, primary_key=True, comment="Derived from content and address"),
    Column("content_id", String, nullable=False),
    Column("url", Text, nullable=False, comment="Where a click leads: from here alone, never from the request"),
    Column("at", DateTime, nullable=False, comment="When a letter first named it"),
    UniqueConstraint("content_id", "url"),
    comment="Links of the letters that were sent: what a click may lead to, and nothing else",
)
