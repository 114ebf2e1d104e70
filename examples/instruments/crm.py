"""What the CRM and the ERP export: companies, contacts, products, orders. A history first, then a file each Monday with what is new or changed."""

import datetime as dt
import random
from collections.abc import Iterable, Iterator
from dataclasses import replace

from examples.grocer import spelling
from examples.instruments.calendar import FIRST, HISTORY, LAST, days, draw, moment, stamped, workday
from examples.instruments.companies import Company
from examples.instruments.people import Person
from examples.instruments.record import ACCOUNT, CONTACT, ORDER, PRODUCT, Record

CONSENT_TEXT = "2025-A"
_BEFORE = dt.datetime(2026, 5, 29, 18)
_RELATIONS = {"customer": "客户", "distributor": "经销商", "buying_center": "采购中心", "prospect": "潜在客户"}
_UNKNOWN = {"行业": 0.03, "员工数": 0.06}
PRODUCTS = (
    ("MM17", "万用表", 1_280), ("MM28", "万用表", 3_450), ("CL36", "钳形表", 2_190), ("OS52", "示波器", 18_600),
    ("OS54", "示波器", 42_000), ("TI40", "红外热像仪", 26_800), ("TI60", "红外热像仪", 88_000), ("PC71", "过程校准器", 35_500),
    ("TC75", "温度校准器", 29_900), ("PQ43", "电能质量分析仪", 51_000), ("AC01", "附件", 260), ("AC02", "附件", 480),
)  # fmt: skip


def mondays() -> list[dt.date]:
    """The days of the files with changes."""
    return [on for on in days() if on.weekday() == 0]


def accounts(companies: Iterable[Company], seed: int) -> Iterator[Record]:
    """Every company; of some the CRM does not know the industry or the size. A few grew since, and it says so on a Monday."""
    for one in companies:
        chance = draw(seed, one.number, "account")
        unknown = {name: "" for name, share in _UNKNOWN.items() if chance.random() < share}
        first = _account(one, HISTORY, _BEFORE)
        yield replace(first, cells={**first.cells, **unknown})
        if chance.random() < 0.02:
            on = chance.choice(mondays())
            yield _account(replace(one, employee_count=one.employee_count + 25), on, moment(chance, on))


def _account(one: Company, on: dt.date, at: dt.datetime) -> Record:
    place = one.territory.place
    values = {
        "公司编号": one.id,
        "公司名称": one.name,
        "网址": f"https://www.{one.domain}",
        "行业": one.industry,
        "省": place.province,
        "市": place.city,
        "员工数": one.employee_count,
        "上级公司": f"A{one.parent:05d}" if one.parent else "",
        "关系": _RELATIONS[one.role],
        "更新时间": stamped(at),
    }
    return Record(ACCOUNT, on, at, one.id, values)


def contacts(people: Iterable[Person], seed: int) -> Iterator[Record]:
    """Every person of the CRM; what was missing is sometimes learned later, and a few rows lack their number."""
    for one in people:
        chance = draw(seed, one.number, "crm")
        if not one.in_crm:
            continue
        row = contact(chance, one, HISTORY, _BEFORE)
        yield row
        if chance.random() < 0.04:
            on = chance.choice(mondays())
            learned = replace(one, knows=one.knows | {"phone", "email"})
            yield contact(chance, learned, on, moment(chance, on))
        if chance.random() < 0.004:
            yield replace(row, key="", cells={**row.cells, "联系人编号": ""}, person="")


def contact(chance: random.Random, one: Person, on: dt.date, at: dt.datetime) -> Record:
    """A person's row as of a moment."""
    knows, place = one.knows, one.company.territory.place
    consent = chance.choices(("是", "否", ""), (72, 8, 20))[0]
    values = {
        "联系人编号": one.crm_id,
        "客户编号": one.card,
        "姓名": spelling.name(chance, one.name) if "name" in knows else spelling.nothing(chance),
        "职务": one.job_title if "job_title" in knows else "",
        "手机": spelling.phone(chance, one.phone) if "phone" in knows else spelling.no_phone(chance, one.phone),
        "邮箱": spelling.email(chance, one.email) if "email" in knows else spelling.no_email(chance, one.email),
        "公司编号": one.company.id if "company" in knows else "",
        "公司": one.company.name if "company" in knows else "",
        "地区": "美国俄勒冈州" if one.company.territory.is_abroad else place.spelled(chance),
        "负责人": one.owner,
        "创建时间": stamped(one.registered_at),
        "更新时间": stamped(at),
        "邮件授权": consent,
        "授权时间": stamped(max(one.registered_at, dt.datetime(2025, 1, 6))) if consent else "",
        "授权文本": CONSENT_TEXT if consent == "是" else "",
    }
    return Record(CONTACT, on, at, one.crm_id, values, str(one.number))


def orders(people: Iterable[Person], seed: int) -> Iterator[Record]:
    """What customers bought since 2025: lines before the first day come with the history, the others with the Monday after them."""
    for code, category, _price in PRODUCTS:
        row = dict(zip(("产品编号", "部门", "品类", "类型"), (code, "测试仪器", category, category), strict=True))
        yield Record(PRODUCT, HISTORY, _BEFORE, code, row)
    for one in people:
        chance = draw(seed, one.number, "orders")
        if one.card and chance.random() < 0.7:
            for place in range(chance.choices((1, 2, 4, 7), (40, 30, 20, 10))[0]):
                yield from _order(chance, one, place)


def _order(chance: random.Random, one: Person, place: int) -> Iterator[Record]:
    at = moment(chance, workday(chance, dt.date(2025, 1, 6), LAST - dt.timedelta(days=7)))
    on = HISTORY if at.date() < FIRST else at.date() + dt.timedelta(days=7 - at.weekday())
    number = f"SO{at:%y%m%d}{one.number:06d}{place}"
    for code, _category, price in chance.sample(PRODUCTS, chance.choices((1, 2, 3), (60, 30, 10))[0]):
        quantity = chance.choices((1, 2, 5, 10), (60, 20, 15, 5))[0]
        values = {
            "订单号": number,
            "客户编号": one.card,
            "产品编号": code,
            "数量": quantity,
            "金额": f"{price * quantity}.00",
            "下单时间": stamped(at),
        }
        yield Record(ORDER, on, at, f"{number}/{code}", values, str(one.number))
