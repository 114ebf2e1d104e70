"""How figures and names of the mechanism read on the page, in one language.

What belongs here: numbers, dates, field names, reasons, in words. What does not: sentences of one part (they stand in the template).
"""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from vesper.clock import local_time
from vesper.language import Translate

FIELDS = {
    "name": "name",
    "phone": "phone",
    "email": "mail address",
    "province": "province",
    "city": "city",
    "card": "loyalty card",
    "company_id": "company",
    "company": "company's name",
    "job_title": "job title",
    "gender": "gender",
    "birth_on": "birthday",
    "owner": "representative",
    "first_seen_on": "first seen on",
    "company.industry": "industry of the company",
    "company.employee_count": "employees of the company",
    "company.domain": "domain of the company",
    "company.province": "province of the company",
    "company.city": "city of the company",
    "age_band": "age band",
    "income_band": "income band",
    "household_size": "household size",
    "kids_count": "children",
    "first_source": "first source",
}
CHANNELS = {
    "email": "by mail",
    "sms": "by text message",
    "store": "at the till, on the next visit",
    "none": "no way known",
    "mailing": "mailing list",
}
BANDS = {"below": "below the band", "in_band": "in the band", "above": "above the band"}
STATES = {
    "accepted": "accepted",
    "planned": "waiting",
    "claimed": "waiting",
    "awaiting_confirmation": "waiting",
    "sending": "on the wire",
    "rejected": "rejected",
    "unknown": "unknown",
    "abandoned": "unknown",
    "refused": "refused",
}
REASONS = {
    "already_planned": "already in this campaign",
    "no_address": "no address",
    "no_consent": "no consent",
    "suppressed": "unsubscribed or suppressed",
    "human_takeover": "a person talks to them",
    "stage": "not in the campaign's lifecycle stages",
    "duplicate_address": "same mailbox as another person",
    "held": "a source has a hole, so the facts are unknown",
    "over_max_people": "more people than the campaign allows",
    "deviation": "another number of people than approved",
    "pilot": "outside the pilot",
    "partial": "outside the share of this state",
    "holdout": "held out, to see what messages bring",
    "experiment": "waits for the winner of an experiment",
    "paused": "the campaign is paused",
    "no_window": "no hour suits their clock",
    "no_variant": "nothing is written for them",
    "gap": "the matrix has nothing for them",
    "age": "too young",
    "personalisation": "refuses to be chosen by scores",
    "complaints": "too many spam reports",
    "expired": "expired before it could go",
    "address_gone": "the address is gone",
    "address_changed": "the address has changed",
    "fence": "not a test address",
    "capped": "frequency cap",
}
STEPS = {
    "registered": "registered",
    "first_purchase": "first purchase",
    "repurchase": "repurchase",
    "loyal": "loyal",
}
FIGURES = {
    "quarantine_ratio": "rows set aside",
    "visibility_ratio": "market visibility",
    "complete_ratio": "complete profiles",
    "mql_ratio": "ready for sales (MQL)",
    "refused_ratio": "refused messages",
    "delivered_ratio": "delivered",
    "open_ratio": "opened",
    "click_ratio": "clicked",
    "unsubscribe_ratio": "unsubscribed",
    "complaint_ratio": "complained",
    "response_ratio": "responded",
    "conversion_ratio": "bought after responding",
    "first_purchase_ratio": "first purchase after registration",
    "repurchase_ratio": "second purchase after the first",
    "loyal_ratio": "loyal after repurchase",
}
PERIODS = {"day": "tonight", "week": "7 days", "month": "30 days", "quarter": "91 days", "year": "365 days"}
HANDOVERS = {
    "open": "without an answer of sales",
    "accepted": "accepted by sales",
    "rejected": "refused by sales",
    "ended": "over",
    "withdrawn": "withdrawn by us",
    "all": "the whole team",
    "unassigned": "nobody yet",
}
LEADS = {"open": "open", "to_sales": "with sales", "invalid": "invalid", "recycled": "back in the pool"}
OUTCOMES = {
    "rejected": "refused by sales",
    "invalid": "invalid",
    "recycle": "sent back to the pool",
    "lost": "deal lost",
    "unstated": "no reason given",
}
LEAKS = {
    "untouched": "nobody has spoken to the lead, {days} days after it began",
    "discarded": "ended as invalid",
    "ignored": "in the pool, and nobody has spoken to it for {days} days",
    "not_reengaged": "nobody has spoken to the buyer, {days} days after the sale",
}
STAGES = {
    "consolidate": "Consolidate",
    "measure": "Measure",
    "score": "Score",
    "handover": "Hand-over",
    "segment": "Segment",
    "send": "Send",
    "watch": "Watch",
}
WORDS = (FIELDS, BANDS, STATES, REASONS, STEPS, FIGURES, PERIODS, STAGES)
NOTHING = "–"


@dataclass(frozen=True)
class Wording:
    """Names and numbers in one language."""

    language: str
    say: Translate
    currency: str
    zone: str

    @property
    def space(self) -> str:
        """What stands between two sentences."""
        return "" if self.language == "zh_CN" else " "

    def word(self, name: str | None) -> str:
        """A word of the mechanism as people say it; the word itself, without underscores, where it is nobody's but the company's."""
        if not name:
            return NOTHING
        head, _, rest = name.partition(":")  # a reason may say which one of its kind: capped:all_channels
        known = next((words[head] for words in WORDS if head in words), None)
        said = self.say(known) if known else head.replace("_", " ")
        return f"{said} ({rest})" if rest else said

    def channel(self, name: str) -> str:
        """A channel, or a way to ask; `email` the channel is another word than `email` the field."""
        return self.say(CHANNELS[name]) if name in CHANNELS else self.word(name)

    def handover(self, name: str) -> str:
        """How far a hand-over came, or a representative, who keeps the name of policy/sales."""
        return self.say(HANDOVERS[name]) if name in HANDOVERS else name

    def lead(self, status: str) -> str:
        """Where a lead stands."""
        return self.say(LEADS[status])

    def leak(self, kind: str, after_days: int) -> str:
        """How a lead is lost on the way."""
        return self.say(LEAKS[kind]).format(days=after_days)

    def outcome(self, name: str) -> str:
        """What sales said, or the code of a reason, which is the company's own."""
        return self.say(OUTCOMES[name]) if name in OUTCOMES else name.replace("_", " ")

    def fields(self, missing: str) -> str:
        """Field names joined by commas, as a list of words."""
        return self._joined([self.word(field) for field in missing.split(",")], self.say(" and "))

    def either(self, choices: list[str]) -> str:
        """Choices as a list that ends in `or`."""
        return self._joined(choices, self.say(" or "))

    def _joined(self, words: list[str], last: str) -> str:
        *before, end = words
        return self.say(", ").join(before) + last + end if before else end

    def number(self, value: int | Decimal | None) -> str:
        return NOTHING if value is None else f"{value:,.0f}"

    def signed(self, value: int | None) -> str:
        return NOTHING if value is None else f"{value:+,}".replace("-", "−") if value else "0"

    def share(self, value: float | None, places: int = 1) -> str:
        """A ratio as per cent; what is small but not nothing keeps more places."""
        if value is None:
            return NOTHING
        return f"{value:.3%}" if 0 < value < 0.0005 else f"{value:.{places}%}".replace("-", "−")

    def points(self, value: float | None) -> str:
        """A difference of two ratios in percentage points."""
        if value is None:
            return NOTHING
        return self.say("{points} points").format(points=f"{value * 100:+.1f}".replace("-", "−"))

    def money(self, value: Decimal | None) -> str:
        return NOTHING if value is None else f"{value:,.0f} {self.currency}"

    def day(self, on: dt.date | None) -> str:
        if on is None:
            return NOTHING
        return f"{on.year} 年 {on.month} 月 {on.day} 日" if self.language == "zh_CN" else f"{on.day} {on:%B %Y}"

    def moment(self, at: dt.datetime | None) -> str:
        """An instant as wall-clock time of the company."""
        return NOTHING if at is None else f"{local_time(at, self.zone):%Y-%m-%d %H:%M}"
