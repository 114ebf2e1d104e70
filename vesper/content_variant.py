"""Who gets which variant of a content: the first whose condition holds, else what is written for everybody, else nothing (R79).

What belongs here: that choice as a Select, made when a message is planned. What does not: conditions (`vesper/conditions/`), which content
somebody gets (`vesper/matrix.py`), the words of a variant (`vesper/content.py`).

Who refuses personalisation gets what is written for everybody (PIPL article 24: rule C9), and so does everybody while a source behind a
variant's condition has a hole: unknown facts choose nothing (R106).
"""

from typing import Any

import sqlalchemy as sa

from vesper.held import is_held
from vesper.membership import ContactRow
from vesper.model.content import DEFAULT, Content
from vesper.night import Night
from vesper.tables.contact import CONSENT, CONTACT

PERSONALISATION = "personalisation"
"""Purpose of the consent that binds variants: refused on any channel, nothing is chosen by what is known of the person."""
NO_VARIANT = "no_variant"
"""The refusal of whom a content says nothing."""


def variant_of(content: Content, night: Night) -> sa.Select[Any]:
    """One row per golden contact: contact_id, and `variant`, the variant's id or `default`; NULL where the content says nothing to them.

    A plan joins it to its people and refuses those with NULL as `no_variant`.
    """
    row = ContactRow(night)
    variant = variant_in(row, content)
    return sa.select(CONTACT.c.contact_id, variant.label("variant")).select_from(row.source())


def variant_in(row: ContactRow, content: Content) -> sa.ColumnElement[Any]:
    """The same as an expression of a contact's row; ask for it before the row's `source()`."""
    everybody: sa.ColumnElement[Any] = sa.literal(DEFAULT) if content.messages else sa.null()
    night = row.asked.night
    found = [
        (row.holds(variant.when), sa.literal(variant.id))
        for variant in content.variants
        if variant.when is not None and not is_held(variant.when, night)
    ]
    if not found:
        return sa.cast(everybody, sa.String)
    refused = CONTACT.c.contact_id.in_(refuses_personalisation())
    return sa.cast(sa.case((refused, everybody), *found, else_=everybody), sa.String)


def refuses_personalisation() -> sa.Select[Any]:
    """Contacts (contact_id) who said no to personalisation."""
    return sa.select(CONSENT.c.contact_id).where(CONSENT.c.purpose == PERSONALISATION, sa.not_(CONSENT.c.is_granted))
