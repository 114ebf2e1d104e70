"""The named people: every step of theirs is told, so that a test can follow the scoring table night by night (S3, table 2).

Day 0 is `calendar.STORY`, a Monday; all filled in the form for the white paper at ten in the morning of it, and got the mail four minutes later.
None of them has anything else that a rule of this company gives points for, but the eager one.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace

from examples.instruments.calendar import STORY, draw
from examples.instruments.companies import TERRITORIES, Company
from examples.instruments.people import FIELDS, Person, person
from examples.instruments.record import FORM_SERIES, Record
from examples.instruments.sales import call, note, result
from examples.instruments.web import form, mail, visit

_DONGGUAN = next(one for one in TERRITORIES if one.place.city == "东莞")
COMPANY = Company(99_001, "东莞示例99001机械有限公司", "通用设备制造业", _DONGGUAN, 120, "prospect")
_NUMBER = 990_000
FORM_AT = dt.datetime.combine(STORY, dt.time(10))
MAIL_AT = FORM_AT + dt.timedelta(minutes=4)


def _named(place: int, name: str, local: str, job_title: str = "工艺工程师") -> Person:
    drawn = person(0, _NUMBER + place, COMPANY, in_crm=False)
    email = f"{local}@{COMPANY.domain}"
    return replace(
        drawn, name=name, honorific=name[0] + "先生", job_title=job_title, email=email, knows=frozenset(FIELDS)
    )


CLICKER = _named(1, "周连点", "zhou.liandian")
"""Clicks on day 2 and day 4: 60, then 80 from the evening of day 4 on. On day 7 the call centre passes the lead to sales."""
SILENT = _named(2, "沈无声", "shen.wusheng")
"""Never clicks: 60, then 65 from the evening of day 7 on, when the seven days are over. A form an hour earlier lacked the mail address."""
ONCE = _named(3, "单一次", "shan.yici")
"""Clicks once, on day 1: 60 for ever. The call centre sends the lead back on day 5."""
SCANNED = _named(4, "网关明", "wang.guanming")
"""Only the gateway of the company clicks, twice: a machine, so it is as if nobody had clicked."""
LATE = _named(5, "迟来晚", "chi.laiwan")
"""Clicks on day 3 and one second after the seven days: one click counts, so 60 for ever."""
AGAIN = _named(6, "许再填", "xu.zaitian")
"""Fills in the form again on day 5 and clicks twice on day 6: 20 points from then on, and never 5 beside them."""
CHATTER = _named(7, "谈急购", "tan.jigou")
"""Says in the chat on day 1 that the company wants to buy: the score says nothing of it, a person must."""
EAGER = _named(8, "赵总", "zhao.zong", "总经理")
"""Clicks twice on day 1, asks for a demonstration, calls the hotline, has budget and decides alone: 90 and more."""
EVERYBODY = (CLICKER, SILENT, ONCE, SCANNED, LATE, AGAIN, CHATTER, EAGER)


def on(day: int, hour: int, minute: int = 0) -> dt.datetime:
    """A moment of the story: day 0 is the day of the form."""
    return dt.datetime.combine(STORY + dt.timedelta(days=day), dt.time(hour, minute))


def steps() -> Iterator[Record]:
    """Everything that the named people do."""
    for one in EVERYBODY:
        yield form(one, FORM_AT, region="广东东莞")
        yield mail(one, "send", MAIL_AT, "WP1", FORM_SERIES)
        yield mail(one, "deliver", MAIL_AT + dt.timedelta(seconds=8), "WP1", FORM_SERIES)
    for one, moments in CLICKS.items():
        yield from (mail(one, "click", at, "WP1", FORM_SERIES) for at in moments)
    for seconds in (9, 11):
        yield mail(SCANNED, "click", MAIL_AT + dt.timedelta(seconds=seconds), "WP1", FORM_SERIES, bot=True)
    unusable = form(SILENT, on(0, 9))
    yield replace(unusable, key="", person="", cells={**unusable.cells, "form_id": f"{unusable.key}x", "email": None})
    yield form(AGAIN, on(5, 9), region="广东东莞")
    yield visit(CHATTER, "chat_intent", on(1, 11), 240, url="/chat")
    yield visit(EAGER, "demo_requested", on(1, 15), 90, url="/demo", product="PQ43")
    yield result(CLICKER, on(7, 11), "转销售")
    yield result(ONCE, on(5, 15), "回流", "暂无预算")
    yield call(draw(0, EAGER.number, "call"), EAGER, on(1, 15, 30))
    yield note(EAGER, on(1, 16), {"预算": "明确", "决策权": "决策人", "需求": "明确", "时间": "三个月内"})


CLICKS = {
    CLICKER: (on(2, 9, 30), on(4, 15)),
    ONCE: (on(1, 9),),
    LATE: (on(3, 9), FORM_AT + dt.timedelta(days=7, seconds=1)),
    AGAIN: (on(6, 9), on(6, 14)),
    EAGER: (on(1, 9), on(1, 14)),
}
