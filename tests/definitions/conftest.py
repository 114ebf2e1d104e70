"""A small company on disk, into which tests plant what they need."""

from collections.abc import Callable
from pathlib import Path

import pytest

from vesper.check import check
from vesper.problem import Problem

SETTINGS = '[company]\nname = "一家店"\nlanguage = "{language}"\n'
SOURCE = """\
says: 门店订单
owner: data
system: csv
path: "shop_order/{on}.csv"
feeds: order_line
cadence: {every: day, due: "06:00"}
late: block
rows: {min: 1, max: 100}
key: [order_id, product_code]
fields:
  order_id: {column: a, type: text, required: true}
  product_code: {column: b, type: text, required: true}
  quantity: {column: c, type: integer}
  amount: {column: d, type: money}
  ordered_at: {column: e, type: instant}
"""
EVENTS = """\
says: 核销
owner: data
system: csv
path: "shop_redemption/{on}.csv"
feeds: event
event_kind: coupon_redeemed
cadence: {every: day}
late: {carry_forward: 3}
rows: {min: 0, max: 100}
key: [card, at]
fields:
  card: {column: a, type: text, required: true}
  at: {column: b, type: date, required: true}
"""
SEGMENT = """\
says: 沉睡
owner: marketing
members: {last_order: {at_least_days_ago: 90}}
"""
RULE = """\
says: 一周两单
owner: marketing
kind: engagement
when: {orders: {at_least: 2, within: 7d}}
points: 10
examples:
  - {given: {}, points: 0}
"""
CONTENT = """\
says: 挽回邮件
owner: marketing
messages:
  zh_CN:
    subject: 好久不见
    text: |
      您好，{{ name }}
      退订：{{ unsubscribe_url }}
"""
CAMPAIGN = """\
says: 挽回
owner: marketing
series: Winback
state: full
brief:
  persona: 老客
  message: 回来吧
  cta: {what: 到店, benefit: 减 10 元}
  stages: [at_risk]
  timing: 一月
  goal: 8% 再次下单
segment: dormant
channel: email
content: winback
purpose: marketing
max_people: 300
starts_on: 2018-01-01
ends_on: 2018-03-31
"""
GOOD = {
    "sources/shop_order": SOURCE,
    "sources/shop_redemption": EVENTS,
    "segments/dormant": SEGMENT,
    "scoring/two_orders": RULE,
    "content/winback": CONTENT,
    "campaigns/winback": CAMPAIGN,
    "lifecycle/main": "says: 五阶段\nowner: marketing\npreset: preset_a\n",
}


class Company:
    """A workspace whose definitions are all right until a test spoils one."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.speak("en")
        for key, text in GOOD.items():
            self.write(f"{key}.yml", text)

    def speak(self, language: str) -> None:
        (self.root / "vesper.toml").write_text(SETTINGS.format(language=language), encoding="utf-8")

    def write(self, name: str, text: str) -> None:
        """Put a file below `definitions/`."""
        file = self.root / "definitions" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def spoil(self, key: str, old: str, new: str) -> None:
        """Replace a part of a good definition, once."""
        assert GOOD[key].count(old) >= 1, f"{key} has no {old!r}"
        self.write(f"{key}.yml", GOOD[key].replace(old, new, 1))

    def problems(self) -> list[Problem]:
        return check(self.root)


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return Company(tmp_path)


@pytest.fixture
def one_problem(company: Company) -> Callable[[], Problem]:
    """The only problem of the company; fails when there is none or more than one."""

    def only() -> Problem:
        found = company.problems()
        assert len(found) == 1, "\n".join(str(problem) for problem in found)
        return found[0]

    return only
