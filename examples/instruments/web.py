"""What people do on the web site and with mails: forms, visits, clicks. One function for each thing that can happen, and the ordinary course of it.

What belongs here: rows of the forms, the site and the mail platform. What does not: the people whose every step is told (story.py).
"""

import datetime as dt
import random
from collections.abc import Iterable, Iterator

from examples.grocer import spelling
from examples.instruments.calendar import FIRST, LAST, days, draw, file_day, moment, workday, zoned
from examples.instruments.people import Person
from examples.instruments.record import FORM, FORM_SERIES, MAIL, NEWS_SERIES, WEB, Record

NEWSLETTERS = (dt.date(2026, 6, 10), dt.date(2026, 7, 15), dt.date(2026, 8, 12))
WHITEPAPER = "wp_power_quality"
_PAGES = (
    ("/product/os52", "OS52", "示波器 选型"), ("/product/ti60", "TI60", "红外热像仪 价格"), ("/product/pq43", "PQ43", "电能质量"),
    ("/product/mm28", "MM28", ""), ("/solution/power", "", "变频器 谐波"), ("/about", "", ""),
)  # fmt: skip
_LINKS = ("/whitepaper/power-quality", "/product/pq43", "/demo")


def form(one: Person, at: dt.datetime, company: str = "", region: str = "") -> Record:
    """A form for the white paper: the row of a contact, and an event by itself."""
    key = f"F{at:%y%m%d%H%M%S}{one.number:06d}"
    values = {
        "form_id": key,
        "name": one.name,
        "mobile": one.phone,
        "email": one.email,
        "company": company or one.company.name,
        "title": one.job_title,
        "city": region,
        "submitted_at": zoned(at),
        "consent": {"email": True, "text": "2026-W"},
        "content": WHITEPAPER,
    }
    return Record(FORM, file_day(at), at, key, values, str(one.number))


def mail(one: Person, word: str, at: dt.datetime, message: str, series: str, *, bot: bool = False) -> Record:
    """One thing that the mail platform says of one mail."""
    key = f"{message}-{one.number:06d}-{word}-{at:%m%d%H%M%S}{'-bot' if bot else ''}"
    values = {
        "id": key,
        "event": word,
        "email": one.email,
        "campaign": series,
        "message": f"{message}-{one.number:06d}",
        "time": zoned(at),
        "link": _LINKS[at.second % 3] if word == "click" else None,
        "bot": bot,
    }
    return Record(MAIL, file_day(at), at, key, values, str(one.number))


def visit(one: Person, kind: str, at: dt.datetime, seconds: int, **about: str) -> Record:
    """One thing that a known visitor does on the site."""
    key = f"W{at:%y%m%d%H%M%S}{one.number:06d}{kind[:2]}"
    values = {"id": key, "event": kind, "email": one.email, "time": zoned(at), "seconds": seconds, "bot": False}
    return Record(WEB, file_day(at), at, key, {**values, **_whole(about)}, str(one.number))


def _whole(about: dict[str, str]) -> dict[str, str | None]:
    return {name: about.get(name) or None for name in ("url", "content", "product", "keyword")}


def monitor() -> Iterator[Record]:
    """The site's and the mail platform's own probe, so that a day without people is still a file."""
    for on in days():
        at = dt.datetime.combine(on, dt.time(3))
        values = {"event": "page_viewed", "time": zoned(at), "seconds": 0, "bot": True, **_whole({"url": "/"})}
        yield Record(WEB, on, at, f"probe-{on}", {"id": f"probe-{on}", "email": None, **values})
        values = {"event": "send", "campaign": NEWS_SERIES, "time": zoned(at), "link": None, "bot": True}
        yield Record(MAIL, on, at, f"probe-{on}", {"id": f"probe-{on}", "email": None, "message": None, **values})


def behaviour(people: Iterable[Person], seed: int) -> Iterator[Record]:
    """The ordinary course: forms with the mails that follow them, visits, newsletters."""
    for one in people:
        chance = draw(seed, one.number, "web")
        if one.company.territory.is_abroad or "email" not in one.knows:
            continue
        if chance.random() < (0.12 if one.in_crm else 0.7):
            yield from _form_and_mails(chance, one)
        if chance.random() < (0.25 if one.in_crm else 0.6):
            yield from _visits(chance, one)
        if one.in_crm and chance.random() < 0.8:
            yield from _newsletters(chance, one)


def _form_and_mails(chance: random.Random, one: Person) -> Iterator[Record]:
    at = moment(chance, workday(chance, FIRST, LAST - dt.timedelta(days=1)))
    company = one.company.name if chance.random() < 0.8 else one.company.name.removesuffix("有限公司")
    yield form(one, at, company, one.company.territory.place.spelled(chance) if chance.random() < 0.7 else "")
    for message, wait in (("WP1", dt.timedelta(minutes=4)), ("WP2", dt.timedelta(days=3, minutes=4))):
        yield from _mail(chance, one, at + wait, message, FORM_SERIES, opens=0.55, clicks=(58, 27, 10, 5))


def _newsletters(chance: random.Random, one: Person) -> Iterator[Record]:
    for place, on in enumerate(NEWSLETTERS, start=1):
        at = dt.datetime.combine(on, dt.time(10, 5)) + dt.timedelta(seconds=chance.randrange(1200))
        yield from _mail(chance, one, at, f"NL{place}", NEWS_SERIES, opens=0.24, clicks=(80, 15, 5, 0))


def _mail(
    chance: random.Random,
    one: Person,
    at: dt.datetime,
    message: str,
    series: str,
    *,
    opens: float,
    clicks: tuple[int, ...],
) -> Iterator[Record]:
    """A mail and what became of it. Security gateways of some companies follow every link at once: a machine, not a person."""
    if at.date() > LAST:
        return
    yield mail(one, "send", at, message, series)
    if chance.random() < 0.015:
        yield mail(one, "bounce", at + dt.timedelta(seconds=20), message, series)
        return
    yield mail(one, "deliver", at + dt.timedelta(seconds=8), message, series)
    if one.company.employee_count > 300 and chance.random() < 0.4:
        yield mail(one, "click", at + dt.timedelta(seconds=10), message, series, bot=True)
    if chance.random() >= opens:
        return
    opened = at + dt.timedelta(minutes=chance.randrange(3, 2000))
    found = [mail(one, "open", opened, message, series)]
    for place in range(chance.choices(range(len(clicks)), clicks)[0]):
        clicked = opened + dt.timedelta(minutes=2 + 400 * place, seconds=chance.randrange(60))
        found.append(mail(one, "click", clicked, message, series))
    yield from (row for row in found if row.on <= LAST)


def _visits(chance: random.Random, one: Person) -> Iterator[Record]:
    for _visit in range(chance.choices((1, 2, 4), (50, 35, 15))[0]):
        at = moment(chance, workday(chance))
        for _page in range(chance.randrange(1, 4)):
            url, product, keyword = chance.choice(_PAGES)
            seconds = chance.choices((8, 35, 130, 300), (40, 35, 18, 7))[0]
            yield visit(one, "page_viewed", at, seconds, url=url, product=product, keyword=keyword)
            at += dt.timedelta(seconds=seconds + 5)
        if chance.random() < 0.06:
            yield visit(one, "demo_requested", at, 60, url="/demo", product="PQ43")
        elif chance.random() < 0.03:
            yield visit(one, "chat_intent", at, 240, url="/chat")


def damaged(records: Iterable[Record]) -> Iterator[Record]:
    """Forms without a mail address: sent by a script past the check of the page, to be set aside (R10)."""
    forms = [one for one in records if one.source == FORM]
    for one in forms[::120]:
        cells = {
            **one.cells,
            "form_id": f"{one.key}x",
            "email": None,
            "mobile": spelling.nothing(draw(0, len(one.key), one.key)),
        }
        yield Record(FORM, one.on, one.at, "", cells)
