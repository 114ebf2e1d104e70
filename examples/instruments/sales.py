"""What people on the telephone wrote down: the hotline's calls, BANT notes, and what became of leads."""

import datetime as dt
import random
from collections.abc import Iterable, Iterator

from examples.grocer import spelling
from examples.instruments.calendar import FIRST, LAST, draw, file_day, moment, stamped, workday
from examples.instruments.people import Person
from examples.instruments.record import BANT, CALL, HOTLINE, Record

NEEDS = ("报价", "选型咨询", "维修", "校准服务", "催货")
AGENTS = ("坐席一", "坐席二", "坐席三")
_BANT = {
    "预算": (("明确", "待批", "没有"), (35, 40, 25)),
    "决策权": (("决策人", "影响者", "使用者"), (25, 45, 30)),
    "需求": (("明确", "了解中"), (55, 45)),
    "时间": (("三个月内", "半年内", "未定"), (30, 35, 35)),
}
_ENDS = (("转销售", 40), ("回流", 35), ("作废", 25))
_WHY = {
    "回流": ("暂无预算", "半年后再联系"),
    "作废": ("空号", "同行", "学生"),
    "输单": ("价格", "交期", "竞品"),
    "转销售": ("",),
    "赢单": ("",),
    "接受": ("",),
    "拒绝": ("不是决策人", "没有需求"),
}


def telephone(people: Iterable[Person], seed: int) -> Iterator[Record]:
    """The ordinary course: some call; of those, and of a part of the others, notes are taken; a part of these leads end."""
    for one in people:
        chance = draw(seed, one.number, "telephone")
        if one.company.territory.is_abroad:
            continue
        calls = chance.random() < (0.05 if one.in_crm else 0.35) and "phone" in one.knows
        if calls:
            yield call(chance, one, moment(chance, workday(chance)))
        if "phone" in one.knows and chance.random() < (0.6 if calls else 0.05):
            at = moment(chance, workday(chance))
            yield note(
                one, at, {name: chance.choices(*words)[0] for name, words in _BANT.items() if chance.random() < 0.8}
            )
            if chance.random() < 0.6:
                yield from _ending(chance, one, at + dt.timedelta(days=chance.randrange(1, 15)))


def call(chance: random.Random, one: Person, at: dt.datetime) -> Record:
    """A call to the hotline, as the agents' sheet has it; Excel made a number of most telephone numbers."""
    key = f"H{at:%y%m%d%H%M}{one.number:06d}"
    values = {
        "来电编号": key,
        "姓名": chance.choice((one.name, one.honorific)) if "name" in one.knows else "",
        "来电号码": int(one.phone) if chance.random() < 0.7 else spelling.phone(chance, one.phone),
        "备用号码": "",
        "邮箱": one.email if "email" in one.knows and chance.random() < 0.5 else "",
        "公司": one.company.name if chance.random() < 0.7 else "",
        "地区": one.company.territory.place.spelled(chance),
        "来电时间": at,
        "需求": chance.choice(NEEDS),
        "接线员": chance.choice(AGENTS),
        "同意回访": chance.choices(("是", "否", ""), (60, 15, 25))[0],
    }
    return Record(HOTLINE, file_day(at), at, key, values, str(one.number))


def note(one: Person, at: dt.datetime, said: dict[str, str]) -> Record:
    """A BANT note: a column for each dimension, empty where nothing was learned."""
    key = f"B{at:%y%m%d%H%M}{one.number:06d}"
    values = {
        "记录编号": key,
        "联系人编号": one.crm_id if one.in_crm else "",
        "手机": one.phone,
        **{name: said.get(name, "") for name in _BANT},
        "记录时间": stamped(at),
    }
    return Record(BANT, file_day(at), at, key, values, str(one.number))


def result(one: Person, at: dt.datetime, outcome: str, reason: str = "", handover: str = "") -> Record:
    """What became of a lead, as the call system says."""
    key = f"R{at:%y%m%d%H%M%S}{one.number:06d}"
    values = {
        "结果编号": key,
        "联系人编号": one.crm_id if one.in_crm else "",
        "手机": one.phone,
        "结果": outcome,
        "原因": reason,
        "移交编号": handover,
        "坐席": AGENTS[one.number % len(AGENTS)],
        "时间": stamped(at),
    }
    return Record(CALL, file_day(at), at, key, values, str(one.number))


def _ending(chance: random.Random, one: Person, at: dt.datetime) -> Iterator[Record]:
    outcome = chance.choices([word for word, _ in _ENDS], [weight for _, weight in _ENDS])[0]
    found = [(outcome, at)]
    if outcome == "转销售" and chance.random() < 0.6:
        found.append((chance.choice(("赢单", "输单")), at + dt.timedelta(days=chance.randrange(5, 30))))
    for word, moment_of_it in found:
        if file_day(moment_of_it) <= LAST and moment_of_it.date() >= FIRST:
            yield result(one, moment_of_it, word, chance.choice(_WHY[word]))
