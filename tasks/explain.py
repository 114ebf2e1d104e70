"""`vesper explain`: finding out who or what is asked about, and handing the question on.

What belongs here: reading what was asked, one sentence when it names nothing or several things. What does not: the answers
(`tasks/explain_person.py`, `tasks/explain_identity.py`, `tasks/explain_campaign.py`). What was asked for is masked like everything else that
is personal (R122).
"""

import difflib
import re
from pathlib import Path

from tasks.explain_asked import Asked, asking
from tasks.explain_campaign import about_campaign
from tasks.explain_identity import gone, moved
from tasks.explain_person import about_person
from tasks.explain_why import why
from tasks.sql import Unanswered
from vesper import explain as ask
from vesper.cleaning import email
from vesper.cleaning.mail_domain import FREE
from vesper.privacy import mask_email, mask_name, mask_phone

KINDS = ("contact", "campaign", "card", "phone", "email")
_CONTACT = re.compile(r"c[0-9a-f]{16}")
_PLAIN = re.compile(r"[A-Za-z0-9_.-]{1,40}")
_LONG_NUMBER = re.compile(r"\d{7}")


def explain(root: Path, what: str) -> str:
    """A contact (by its id, an older id, card, phone or mail address) or a campaign, in markdown in the workspace's language.

    `what` may say its kind: `card:18`. Raises Unanswered, one sentence with the nearest ids, when it names nothing or several things.
    """
    with asking(root) as asked:
        said, value = _parsed(what.strip())
        kind, id = _meant(asked, said, value)
        if kind == "campaign":
            return about_campaign(asked, id)
        return about_person(asked, id, moved(asked, value, id) if said in ("", "contact") else "")


def explain_why(root: Path, person: str, campaign: str) -> str:
    """Why a contact got what it got of a campaign or journey. `person` is whatever `explain` takes. Raises Unanswered."""
    with asking(root) as asked:
        kind, id = _meant(asked, *_parsed(person.strip()))
        if kind != "contact":
            raise Unanswered(
                asked._("{value} is no person; say whom, such as a contact's id.").format(value=echoed(person))
            )
        return why(asked, id, campaign)


def _parsed(what: str) -> tuple[str, str]:
    kind, colon, value = what.partition(":")
    return (kind, value.strip()) if colon and kind in KINDS else ("", what)


def _meant(asked: Asked, kind: str, value: str) -> tuple[str, str]:
    """`contact` or `campaign`, and its id."""
    named = [] if kind == "campaign" else asked.rows(ask.identified(kind, value))
    people = sorted({row.contact_id for row in named})
    is_campaign = kind in ("", "campaign") and value in _campaign_ids(asked)
    if len(people) + is_campaign > 1:
        kinds = sorted({row.kind for row in named} | ({"campaign"} if is_campaign else set()))
        forms = ", ".join(f"`{one}:{echoed(value)}`" for one in kinds)
        said = asked._("{value} names several things; ask for one of {forms}.")
        raise Unanswered(said.format(value=echoed(value), forms=forms))
    if is_campaign:
        return "campaign", value
    if not people:
        raise Unanswered(_unknown(asked, kind, value))
    return "contact", people[0]


def _campaign_ids(asked: Asked) -> set[str]:
    return {*asked.outreaches, *(row.campaign_id for row in asked.rows(ask.campaign_ids()))}


def _unknown(asked: Asked, kind: str, value: str) -> str:
    """One sentence: whom a shared value could mean, what became of an id, or the ids that look most like it."""
    if kind in ("", "contact") and (said := gone(asked, value)):
        return said
    shared = [] if kind in ("contact", "campaign") else [row.contact_id for row in asked.rows(ask.sharing(kind, value))]
    if shared:
        said = asked._(
            "{value} stands in source rows of {count} contacts, so it identifies none of them; ask for one: {ids}."
        )
        return said.format(value=echoed(value), count=len(shared), ids=", ".join(shared[: ask.NEAREST]))
    if not _is_id(value):
        said = asked._("No contact, card, phone, mail address or campaign is called {value}.")
        return " ".join(filter(None, [said.format(value=echoed(value)), _likely(asked, value)]))
    ids = _campaign_ids(asked) | {row.id for row in asked.rows(ask.nearest_ids(value)) if kind != "campaign"}
    nearest = difflib.get_close_matches(value, sorted(ids), n=ask.NEAREST, cutoff=0)
    said = asked._("No contact, card, phone, mail address or campaign is called {value}; nearest: {ids}.")
    return said.format(value=value, ids=", ".join(nearest) or "-")


def _likely(asked: Asked, value: str) -> str:
    """The address that was probably meant, masked. Its domain is shown where anybody may have an address; else the ending alone (R122)."""
    meant = email.likely(value)
    if meant is None:
        return ""
    masked, domain = mask_email(meant) or "", meant.rpartition("@")[2]
    word = masked.rpartition("@")[0] + "@" + domain if domain in FREE else masked + "." + domain.rpartition(".")[2]
    return asked._("Did you mean {word}?").format(word=word)


def echoed(value: str) -> str:
    """What was asked for, as it may be shown: an id as it is, anything that could be a person's masked."""
    if _is_id(value):
        return value
    mask = mask_email if "@" in value else mask_phone if _LONG_NUMBER.search(_bare(value)) else mask_name
    return mask(value) or "-"


def _is_id(value: str) -> bool:
    """Whether a text is a contact's id, or a plain word without a number long enough to reach somebody."""
    return bool(_CONTACT.fullmatch(value) or (_PLAIN.fullmatch(value) and not _LONG_NUMBER.search(_bare(value))))


def _bare(value: str) -> str:
    return re.sub(r"\W", "", value)
