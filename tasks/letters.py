"""Writes letters: the content of a message filled with the words of its person. Holds addresses, so each batch is forgotten when it is sent.

What belongs here: whose words go into a letter, and what keeps one from being written now. What does not: templates (`vesper/content.py`), the
wire, the ledger's rules.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol

from connectors.channels import Letter
from tasks.recommended import WORD, Products, Recommend, recommended, recommends
from tasks.short_letter import Withheld, short_letter
from vesper.clock import local_time
from vesper.content import ContentError, Follow, Written, written
from vesper.content_link import OPEN
from vesper.definition_set import DefinitionSet
from vesper.model.campaign import Campaign
from vesper.model.content import Content
from vesper.model.content_short import SHORTS
from vesper.model.content_word import CONTENT_WORDS, LISTS
from vesper.model.outreach import RUNNING, Outreach, outreaches
from vesper.model.workspace import Workspace
from vesper.rollout import may_leave
from vesper.said import Said
from vesper.token import TokenKeys, link_url, open_url, preference_url, unsubscribe_url
from warehouse.ledger.coupon import Held, code_for
from warehouse.ledger.outbox import Due
from warehouse.secret import token_keys

Write = Callable[[Due, dt.datetime], Letter]
"""One message and its instant -> its letter. Raises Unwritable or Withheld."""
Look = Callable[[Collection[str]], Iterable[Any]]
"""Contact ids -> rows of `vesper.recipient.recipients_of`."""
VersionOf = Callable[[str | None], Outreach | None]
"""Hash of a version -> the campaign or journey as it was then; None where nobody knows."""
Coupons = Callable[[Collection[str]], Iterable[Held]]
"""Contact ids -> the codes that they have, the newest of each last."""
KeepLinks = Callable[[str, Mapping[str, str]], object]
"""Content id, and link id -> address: keeps them before a letter that names them leaves."""
MARKETING = "marketing"
ADDRESS = {
    "webhook": "contact_id",
    "push": "contact_id",
    "sms": "phone",
    "wechat": "openid",
    "wechat_mass": "openid",
    "wecom": "external_id",
}
"""Channel -> what of a row of `recipients_of` it reaches somebody by; every other one by mail."""
COUPON = "coupon_code"


class Writer(Protocol):
    """Whoever writes letters, batch by batch."""

    def running(self, campaign_id: str) -> Said | None:
        """None when messages of a campaign or journey may go; otherwise a sentence that says why they wait."""

    def batch(self, messages: Sequence[Due]) -> Write:
        """What writes the letters of some messages."""


class Unwritable(Exception):
    """A message that can never be written; it is refused for `reason`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Outside(Withheld):
    """The state of the campaign or journey reaches fewer people than the one that planned the message (R99)."""

    waits = "waiting:state"


class Letters:
    """Writes from the definitions in force and the contacts of the lake."""

    def __init__(
        self,
        workspace: Workspace,
        definitions: DefinitionSet,
        look: Look,
        version_of: VersionOf = lambda _: None,
        coupons: Coupons = lambda _: (),
        keep_links: KeepLinks | None = None,
        recommend: Recommend = lambda _id, _people: (),
    ) -> None:
        self.workspace, self.look, self.version_of, self.coupons = workspace, look, version_of, coupons
        self.recommend = recommend
        self.hashes = definitions.hashes
        self.outreaches = outreaches(definitions)
        self.contents = definitions.of(Content)
        self._written: dict[str, Written] = {}
        self._keys: TokenKeys | None = token_keys(workspace.store) if workspace.intake.address else None
        self.keep_links = keep_links if self._keys else None

    def running(self, campaign_id: str) -> Said | None:
        """See Writer."""
        outreach = self.outreaches.get(campaign_id)
        if outreach is not None and outreach.state in RUNNING:
            return None
        folder = "campaigns" if outreach is None or isinstance(outreach, Campaign) else "journeys"
        return Withheld(
            "{folder}/{id}.yml: it is not in state pilot, partial or full. Set it so, or let its messages expire.",
            folder=folder,
            id=campaign_id,
        )

    def batch(self, messages: Sequence[Due]) -> Write:
        """See Writer. Everybody of the batch is looked up at once."""
        people = {row.contact_id: row for row in self.look({message.contact_id for message in messages})}
        shown = {message.message_id: self._recommends(message) for message in messages}
        products = recommended(
            [(id, message.contact_id) for message in messages if (id := shown[message.message_id])], self.recommend
        )
        asked = {message.contact_id for message in messages if self._speaks_of_a_coupon(message)}
        held: dict[str, list[Held]] = defaultdict(list)
        for code in self.coupons(asked) if asked else ():
            held[code.contact_id].append(code)
        return lambda message, at: self._letter(
            message,
            people.get(message.contact_id),
            held.get(message.contact_id, ()),
            products.get((shown.get(message.message_id) or "", message.contact_id), []),
            at,
        )

    def _speaks_of_a_coupon(self, message: Due) -> bool:
        said = self._if_written(message)
        return said is not None and any(COUPON in variant.words for variant in said.variants.values())

    def _recommends(self, message: Due) -> str | None:
        """The recommendation that the message shows."""
        said = self._if_written(message)
        content = self.contents.get(self._content_id(message, self.outreaches[message.campaign_id])) if said else None
        return recommends(content, said) if content and said else None

    def _if_written(self, message: Due) -> Written | None:
        """The content of a message; None where it cannot be written, which is said when the letter is asked for."""
        try:
            return self._content(message, self.outreaches[message.campaign_id])
        except (Withheld, ContentError):
            return None

    def _letter(self, message: Due, person: Any, held: Sequence[Held], products: Products, at: dt.datetime) -> Letter:
        address = address_on(message.channel, person)
        if not address:
            raise Unwritable("no_address")
        outreach = self.outreaches[message.campaign_id]
        self._must_be_inside(message, outreach)
        words = {**self._words(message, person, held), WORD: products}
        said = self._said(message, self._content(message, outreach), words)
        return Letter(
            message.message_id,
            address,
            **said,
            unsubscribe_url=words["unsubscribe_url"],
            sent_at=at,
            unsubscribe_mailto=self._mailto(message),
            payload=_payload(message) if message.channel == "webhook" else None,
            campaign_id=message.campaign_id,
            series=outreach.series,
        )

    def _said(self, message: Due, content: Written, words: Mapping[str, Any]) -> dict[str, Any]:
        """What the letter says: subject, text and html, or the words of a channel that is no mail."""
        is_marketing = message.purpose == MARKETING
        if message.channel in SHORTS:
            short = content.fill_short(words, message.variant, message.channel)
            return short_letter(short, message.channel, self.workspace, content.where, is_marketing=is_marketing)
        follow = self._following(message.message_id)
        filled = content.fill(words, message.variant, is_marketing=is_marketing, follow=follow)
        return {"subject": filled.subject, "text": filled.text, "html": filled.html}

    def _must_be_inside(self, message: Due, outreach: Outreach) -> None:
        """Whom the state does not reach waits: in a pilot nobody else can be written to, whatever was planned before (R99)."""
        folder = "campaigns" if isinstance(outreach, Campaign) else "journeys"
        if outreach.state == "full":
            return
        mine = message.definition_hash
        is_current = mine is not None and mine == self.hashes.get(f"{folder}/{outreach.id}")
        planned_by = outreach if is_current else self.version_of(mine)
        if not may_leave(outreach, planned_by, message.contact_id):
            raise Outside(
                "{folder}/{id}.yml: its state reaches fewer people than when messages were planned. Widen it, or let them expire.",
                folder=folder,
                id=outreach.id,
            )

    def _content(self, message: Due, outreach: Outreach) -> Written:
        """The content that the plan chose; of messages planned by an older version the campaign's own."""
        id = self._content_id(message, outreach)
        if id not in self._written:
            if id not in self.contents:
                raise Withheld(
                    "content/{id}.yml: it is not in force. Activate it, or let the messages written from it expire.",
                    id=id,
                )
            said = written(self.contents[id], self.workspace.company.language, is_followed=self.keep_links is not None)
            if self.keep_links is not None and said.links:
                self.keep_links(id, said.links)
            self._written[id] = said
        return self._written[id]

    def _content_id(self, message: Due, outreach: Outreach) -> str:
        own = outreach.content if isinstance(outreach, Campaign) else ""
        return message.content_id or (own if isinstance(own, str) else "")

    def _following(self, message_id: str) -> Follow | None:
        """The addresses of one message's links; None where nothing is followed."""
        if self.keep_links is None or self._keys is None:
            return None
        address, keys = self.workspace.intake.address, self._keys
        return lambda link_id: (
            open_url(address, keys, message_id) if link_id == OPEN else link_url(address, keys, message_id, link_id)
        )

    def _words(self, message: Due, person: Any, held: Sequence[Held]) -> dict[str, Any]:
        """Every word of CONTENT_WORDS; what is not known of a person is empty, so that a template can say `name or 'Dear member'`.

        Without an address of the company's own that unsubscribes at a click, a mail to the sender does.
        """
        url = unsubscribe_url(self.workspace, self._keys, message.message_id) if self._keys else None
        known = {
            "name": person.name or "",
            "city": person.city or "",
            "province": person.province or "",
            "job_title": person.job_title or "",
            "industry": person.industry or "",
            "company": self.workspace.company.name,
            "address": self.workspace.mail.postal_address,
            "unsubscribe_url": url or self._mailto(message),
            "preference_url": self._preferences(message),
        }
        coupon = code_for(held, message.campaign_id, message.contact_id, message.occurrence) if held else None
        return {**_NOTHING, **known, **(self._of(coupon) if coupon else {})}

    def _preferences(self, message: Due) -> str:
        """Where the person chooses; without a web app, a mail to the sender does."""
        url = preference_url(self.workspace, self._keys, message.message_id) if self._keys else None
        return url or f"mailto:{self.workspace.mail.sender}?subject=preferences%20{message.message_id}"

    def _of(self, coupon: Held) -> dict[str, str]:
        """The words of a coupon; its last day is one of the company's."""
        ends = coupon.expires_at
        last = local_time(ends, self.workspace.company.zone).date().isoformat() if ends else ""
        return {COUPON: coupon.code, "coupon_expires_on": last}

    def _mailto(self, message: Due) -> str:
        return f"mailto:{self.workspace.mail.sender}?subject=unsubscribe%20{message.message_id}"


_NOTHING: Mapping[str, Any] = {word: () if word in LISTS else "" for word in CONTENT_WORDS}


def address_on(channel: str, person: Any) -> str | None:
    """What a channel reaches somebody by, as the plan hashed it (`vesper.send.ADDRESS`)."""
    if person is None:
        return None
    known: str | None = getattr(person, ADDRESS.get(channel, "email"))
    return (known or "").strip() or None


def _payload(message: Due) -> dict[str, Any]:
    return {
        "contact_id": message.contact_id,
        "step_id": message.step_id,
        "occurrence": message.occurrence,
        "content_id": message.content_id,
        "variant": message.variant,
    }
