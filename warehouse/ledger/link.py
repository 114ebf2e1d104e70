"""Links of letters in the ledger: kept before a letter that names them leaves, looked up when one is clicked.

What belongs here: rows of `link`. What does not: finding links in a template (`vesper/content_link.py`), tokens, the redirect (`intake/click.py`).
A row is never changed and never goes: an old letter leads where it always led.
"""

from collections.abc import Mapping

import sqlalchemy as sa

from vesper.clock import now
from warehouse.ledger.consent import insert_new
from warehouse.ledger.engine import reading
from warehouse.ledger.intake_schema import LINK


class LinkTaken(LookupError):
    """The id of a link stands for another address already; a letter that named it would lead elsewhere."""


def keep_links(engine: sa.Engine, content_id: str, links: Mapping[str, str]) -> int:
    """Keep the links of a content: link id -> address. Returns how many are new. Raises LinkTaken."""
    at = now()
    rows = [{"link_id": id, "content_id": content_id, "url": url, "at": at} for id, url in sorted(links.items())]
    with engine.begin() as connection:
        known = {
            row.link_id: row.url
            for row in connection.execute(sa.select(LINK.c.link_id, LINK.c.url).where(LINK.c.link_id.in_(links)))
        }
        for id, url in known.items():
            if links[id] != url:
                raise LinkTaken(f"the link {id} of content/{content_id}.yml stands for another address already")
        return insert_new(connection, LINK, [row for row in rows if row["link_id"] not in known])


def url_of(engine: sa.Engine, link_id: str) -> str | None:
    """Where a link leads; None for one that no letter named."""
    with reading(engine) as connection:
        return connection.scalar(sa.select(LINK.c.url).where(LINK.c.link_id == link_id))
