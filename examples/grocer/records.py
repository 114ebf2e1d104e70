"""What the three composed sources wrote down of a person: loyalty CRM, app, hotline. Which day a record arrives with, and which fields it really gives.

Every record of a person shares a usable card, telephone or mail address with another one of theirs, so that the truth can be found.
"""

import datetime as dt
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from examples.grocer import spelling
from examples.grocer.people import FIELDS, Person, draw, person
from examples.grocer.write import Row, zoned

HISTORY = dt.date(2017, 12, 29)
DELTAS = (dt.date(2017, 12, 30), dt.date(2017, 12, 31))
DAYS = (HISTORY, *DELTAS)
CRM, APP, HOTLINE = "crm_member", "app_signup", "hotline_lead"
CRM_COLUMNS = ("会员卡号", "姓名", "手机", "邮箱", "地区", "注册时间", "邮件授权", "短信授权", "授权时间", "授权文本")
HOTLINE_COLUMNS = ("来电编号", "来电号码", "姓名", "地区", "来电时间", "邮箱", "需求", "同意回访")
CONSENT_TEXTS = ("2016-A", "2017-B")
_NEW_TEXT_FROM = dt.datetime(2017, 6, 1)
_SECOND_CARD, _NEW_CARD, _STRANGER = 700_000, 900_000, 8_000
_NEEDS = ("促销咨询", "会员服务", "商品咨询", "配送", "投诉")
_LINKS = ("phone", "email")
_BAD_RATIO = 0.01


@dataclass(frozen=True)
class Record:
    """One row of one file. `gives` are the fields that can be used after cleaning; a row that is not live lacks its key or a required field."""

    source: str
    on: dt.date
    key: str
    person: Person
    cells: Row
    gives: frozenset[str]
    at: dt.datetime
    is_live: bool = True


def of_household(one: Person, seed: int) -> Iterator[Record]:
    """A card holder: always in the CRM, half of them in the app, a fifth known to the hotline."""
    chance = draw(seed, one.number, "records")
    in_app, calls = chance.random() < 0.5, chance.random() < 0.2 and "phone" in one.knows and not one.shares_phone
    crm, app = _shown(chance, one, 0.96), _shown(chance, one, 0.9)
    if calls and not (in_app and "phone" in app):
        crm |= {"phone"}
    links = [field for field in _LINKS if field in crm and not (field == "phone" and one.shares_phone)]
    member = _member(chance, one, one.household, crm, HISTORY, one.registered_at)
    yield member
    yield from _again(chance, member, links)
    if in_app:
        has_card = not links or chance.random() < 0.6
        app |= frozenset() if has_card else {chance.choice(links)}
        yield from _sign_ups(chance, one, app, _day(chance), one.household if has_card else "", has_link=bool(links))
    if calls:
        yield from (_call(chance, one, _day(chance), n) for n in range(2 if chance.random() < 0.15 else 1))


def of_prospects(prospects: Sequence[Person], seed: int) -> Iterator[Record]:
    """People who never bought: some come on the last two days (a new card, the app, the hotline in turn), the others came before, without a card."""
    newcomers = max(6, round(len(prospects) * 0.04))
    for i, one in enumerate(prospects):
        chance = draw(seed, one.number, "records")
        on = HISTORY if i >= 2 * newcomers else DELTAS[i // newcomers]
        yield from _prospect(chance, one, on, i % 3 if on != HISTORY else chance.choice((1, 1, 1, 2, 2, 3)))


def unusable(records: Sequence[Record], seed: int) -> Iterator[Record]:
    """Rows to be quarantined, in the histories only: in turn without their key and without a required field."""
    required = {CRM: ("会员卡号", "注册时间"), APP: ("id", "created_at"), HOTLINE: ("来电编号", "来电号码")}
    for position, (source, fields) in enumerate(required.items()):
        count = sum(1 for one in records if one.source == source and one.on == HISTORY)
        for i in range(int(count * _BAD_RATIO)):
            stranger = person(_STRANGER + position * 300 + i, "", dict.fromkeys(FIELDS, 1.0), seed)
            chance = draw(seed, stranger.number, "records")
            good = next(iter(_prospect(chance, stranger, HISTORY, position)))
            yield replace(
                good,
                key="" if i % 2 == 0 else good.key,
                cells={**good.cells, fields[i % 2]: "" if source != APP else None},
                is_live=False,
            )


def _prospect(chance: random.Random, one: Person, on: dt.date, way: int) -> Iterator[Record]:
    """0 a new card, 1 the app, 2 the hotline, 3 both of these."""
    if way == 0:
        yield _member(chance, one, str(_NEW_CARD + one.number), one.knows, on, _time(chance, on))
    if way in (1, 3):
        yield from _sign_ups(chance, one, one.knows | {"phone"} if way == 3 else one.knows, on, "", has_link=False)
    if way in (2, 3):
        yield _call(chance, one, on, 0)


def _shown(chance: random.Random, one: Person, share: float) -> frozenset[str]:
    return frozenset(field for field in FIELDS if chance.random() < share and field in one.knows)


def _day(chance: random.Random) -> dt.date:
    return chance.choices(DAYS, (0.97, 0.015, 0.015))[0]


def _time(chance: random.Random, on: dt.date) -> dt.datetime:
    """A moment of the file's day; for the history, of the two years before."""
    if on == HISTORY:
        on -= dt.timedelta(days=chance.randrange(1, 700))
    return dt.datetime.combine(on, dt.time(8)) + dt.timedelta(seconds=chance.randrange(13 * 3600))


def _again(chance: random.Random, member: Record, links: Sequence[str]) -> Iterator[Record]:
    """What a CRM repeats: a second card of the same person, the same card exported twice, a row that changed on one of the last days."""
    one = member.person
    if links and chance.random() < 0.03:
        at = member.at + dt.timedelta(days=chance.randrange(30, 300))
        yield _member(chance, one, str(_SECOND_CARD + one.number), frozenset({*links, "name"} & one.knows), HISTORY, at)
    if chance.random() < 0.003:
        yield _member(chance, one, member.key, member.gives, HISTORY, member.at)
    if chance.random() < 0.05:
        yield _changed(chance, member, chance.choice(DELTAS))


def _changed(chance: random.Random, member: Record, on: dt.date) -> Record:
    """The CRM's row anew: half the people withdrew their consent to mail, the others told what was missing."""
    learned = _member(chance, member.person, member.key, member.person.knows, on, member.at)
    if chance.random() < 0.5:
        withdrawn = {"邮件授权": "否", "授权时间": _stamped(_time(chance, on))}
        return replace(member, on=on, cells={**member.cells, **withdrawn})
    return learned


def _member(
    chance: random.Random, one: Person, card: str, shown: frozenset[str], on: dt.date, at: dt.datetime
) -> Record:
    email, sms = chance.choices(("是", "否", ""), (68, 14, 18))[0], chance.choices(("是", "否", ""), (50, 20, 30))[0]
    given_at = max(at, dt.datetime(2016, 1, 1)) + dt.timedelta(minutes=chance.randrange(5))
    version = _text_version(chance, given_at)
    values = (
        card,
        spelling.name(chance, one.name) if "name" in shown else spelling.nothing(chance),
        spelling.phone(chance, one.phone) if "phone" in shown else spelling.no_phone(chance, one.phone),
        spelling.email(chance, one.email) if "email" in shown else spelling.no_email(chance, one.email),
        one.place.spelled(chance) if "city" in shown else one.place.too_vague(chance),
        _stamped(at),
        email,
        sms,
        _stamped(given_at) if email or sms else "",
        version if "是" in (email, sms) else "",
    )
    return Record(CRM, on, card, one, dict(zip(CRM_COLUMNS, values, strict=True)), shown, at)


def _sign_ups(
    chance: random.Random, one: Person, shown: frozenset[str], on: dt.date, card: str, *, has_link: bool
) -> Iterator[Record]:
    """One sign-up, or two where the app was installed again on another telephone."""
    yield _sign_up(chance, one, shown, on, card, 1)
    if (card or has_link) and chance.random() < 0.05:
        yield _sign_up(chance, one, shown, HISTORY, card, 2)


def _sign_up(chance: random.Random, one: Person, shown: frozenset[str], on: dt.date, card: str, count: int) -> Record:
    at, key = _time(chance, on), f"A{one.number:06d}{count}"
    cells = {
        "id": key,
        "card_no": chance.choice(
            (card, card, f" {card}", card.translate(str.maketrans("0123456789", "０１２３４５６７８９")))
        )
        if card
        else None,
        "name": spelling.name(chance, one.name) if "name" in shown else None,
        "mobile": spelling.phone(chance, one.phone)
        if "phone" in shown
        else spelling.no_phone(chance, one.phone) or None,
        "email": spelling.email(chance, one.email)
        if "email" in shown
        else spelling.no_email(chance, one.email) or None,
        "city": one.place.spelled(chance) if "city" in shown else one.place.too_vague(chance) or None,
        "created_at": zoned(at, chance.choice(("America/New_York", "America/New_York", "UTC", "Asia/Shanghai"))),
        "consent": {
            "email": chance.choices((True, False, None), (75, 10, 15))[0],
            "sms": chance.choices((True, False, None), (55, 20, 25))[0],
            "text_version": _text_version(chance, at) or None,
        },
    }
    return Record(APP, on, key, one, cells, shown, at)


def _call(chance: random.Random, one: Person, on: dt.date, count: int) -> Record:
    """A call: the number is the caller's own, so it is always usable; Excel made a number of most."""
    at = _time(chance, on)
    key = f"H{at:%y%m%d}{one.number:05d}{count}"
    shown = _shown(chance, one, 0.7) | {"phone"}
    values = (
        key,
        int(one.phone) if chance.random() < 0.7 else spelling.phone(chance, one.phone),
        chance.choice((one.name, one.honorific)) if "name" in shown else "",
        one.place.spelled(chance) if "city" in shown else one.place.too_vague(chance),
        at,
        spelling.email(chance, one.email) if "email" in shown else "",
        chance.choice(_NEEDS),
        chance.choices(("是", "否", ""), (60, 15, 25))[0],
    )
    return Record(HOTLINE, on, key, one, dict(zip(HOTLINE_COLUMNS, values, strict=True)), shown, at)


def _text_version(chance: random.Random, at: dt.datetime) -> str:
    """The version of the consent text in force then; a few records forgot it."""
    return "" if chance.random() < 0.06 else CONSENT_TEXTS[at >= _NEW_TEXT_FROM]


def _stamped(at: dt.datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S")
