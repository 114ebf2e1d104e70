"""The large company's rules, each said twice: as Vesper's definition, and as a plain predicate over one row of figures per contact.

What belongs here: markets, scoring rules and any number of segments, made from a few shapes with changing words, windows and bounds. What does not:
how a side comes by the figures. A predicate is SQL that DuckDB and Polars both read; `segment_N` in it is another segment's answer.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

PROVINCES = ("上海", "江苏", "浙江", "广东", "北京", "四川", "湖北", "山东", "福建", "陕西")
KINDS = {
    "mail_opened": 34,
    "page_viewed": 30,
    "mail_clicked": 10,
    "app_opened": 10,
    "wechat_message": 7,
    "coupon_redeemed": 4,
    "form_submitted": 3,
    "webinar_joined": 2,
}
"""Kinds of event and their share in a hundred."""
EVER = 0
BASE, MQL_AT, FLOOR, CEILING = 60, 80, 0, 100
WINDOW_OF_RFM = 365


@dataclass(frozen=True)
class Figure:
    """A count of one kind of event in a window of company days; 0 days is all time."""

    kind: str
    days: int

    @property
    def name(self) -> str:
        return f"{self.kind}_{self.days}"

    def asked(self, **bounds: int) -> dict[str, Any]:
        """As a condition."""
        window = {"within": f"{self.days}d"} if self.days else {}
        return {"events": {"kind": self.kind, **bounds, **window}}


@dataclass(frozen=True)
class Orders:
    """Orders and money in a window of company days."""

    days: int


@dataclass(frozen=True)
class Rule:
    """A scoring rule. `cases` are (predicate, points); `evidence` is what it counts, None where it counts one fact (`ones` 1) or none."""

    id: str
    kind: str
    definition: dict[str, Any]
    cases: tuple[tuple[str, int], ...]
    evidence: Figure | Orders | None = None
    ones: int = 1
    is_last_order: bool = False


@dataclass(frozen=True)
class Group:
    """A segment: its condition, its predicate, and the counts it needs."""

    id: str
    members: dict[str, Any]
    predicate: str
    figures: tuple[Figure, ...] = ()
    orders: tuple[Orders, ...] = ()


MARKETS = {
    "everybody": ({"always": {}}, "true", ("name", "phone", "email", "city")),
    "east": (
        {"attribute": {"field": "province", "in": list(PROVINCES[:3])}},
        "province in ('上海', '江苏', '浙江')",
        ("phone", "email"),
    ),
    "active": (Figure("page_viewed", 90).asked(at_least=1), "page_viewed_90 >= 1", ("email", "company", "job_title")),
}
"""Market -> condition, predicate, required fields."""


def scoring() -> tuple[Rule, ...]:
    """Twelve rules: three of fit, nine of engagement."""
    return (
        *_fit(),
        _banded("clicks_7d", Figure("mail_clicked", 7), 2, 5, 20),
        _banded("views_30d", Figure("page_viewed", 30), 5, 3, 8),
        _once("opens_30d", Figure("mail_opened", 30), 3, 5),
        _once("form_90d", Figure("form_submitted", 90), 1, 15),
        _once("webinar_ever", Figure("webinar_joined", EVER), 1, 10),
        _once("app_7d", Figure("app_opened", 7), 2, 5),
        *_absences_and_orders(),
    )


def _fit() -> tuple[Rule, ...]:
    east = {"attribute": {"field": "province", "in": list(PROVINCES[:4])}}
    known = {"attribute": {"field": "job_title", "is": "known"}}
    missing = {"attribute": {"field": "email", "is": "missing"}}
    return (
        Rule("province", "fit", {"when": east, "points": 10}, (("province in ('上海', '江苏', '浙江', '广东')", 10),)),
        Rule("job_title", "fit", {"when": known, "points": 5}, (("job_title is not null", 5),)),
        Rule("no_email", "fit", {"when": missing, "points": -15}, (("email is null", -15),), ones=0),
    )


def _absences_and_orders() -> tuple[Rule, ...]:
    silent = Figure("mail_opened", 90).asked(at_most=0)
    ordered = {"orders": {"at_least": 1, "within": "90d"}}
    dormant = {"last_order": {"at_least_days_ago": 180}}
    of_orders, of_days = (("orders_90 >= 1", 10),), (("days_since_order >= 180", -5),)
    return (
        Rule("no_open_90d", "engagement", {"when": silent, "points": -10}, (("mail_opened_90 = 0", -10),), ones=0),
        Rule("orders_90d", "engagement", {"when": ordered, "points": 10}, of_orders, Orders(90)),
        Rule("dormant_180d", "engagement", {"when": dormant, "points": -5}, of_days, is_last_order=True),
    )


def _banded(id: str, figure: Figure, many: int, few_points: int, many_points: int) -> Rule:
    bands = [
        {"at_least": 0, "at_most": 0, "points": 0},
        {"at_least": 1, "at_most": many - 1, "points": few_points},
        {"at_least": many, "points": many_points},
    ]
    cases = ((f"{figure.name} between 1 and {many - 1}", few_points), (f"{figure.name} >= {many}", many_points))
    return Rule(id, "engagement", {"when": figure.asked(), "bands": bands}, cases, figure)


def _once(id: str, figure: Figure, least: int, points: int) -> Rule:
    return Rule(
        id,
        "engagement",
        {"when": figure.asked(at_least=least), "points": points},
        ((f"{figure.name} >= {least}", points),),
        figure,
    )


def segments(count: int) -> tuple[Group, ...]:
    """So many segments, the shapes taking turns."""
    return tuple(SHAPES[number % len(SHAPES)](f"s{number:03}", number // len(SHAPES)) for number in range(count))


def _often(id: str, turn: int) -> Group:
    kind, least, days = (
        ("mail_opened", 3, 30),
        ("page_viewed", 5, 30),
        ("app_opened", 2, 7),
        ("wechat_message", 2, 90),
        ("mail_clicked", 2, 90),
    )[turn % 5]
    figure, least = Figure(kind, days), least + turn // 5
    return Group(id, figure.asked(at_least=least), f"{figure.name} >= {least}", (figure,))


def _absent(id: str, turn: int) -> Group:
    kind, days = (
        ("mail_opened", 90),
        ("page_viewed", 90),
        ("mail_clicked", 365),
        ("app_opened", 30),
        ("coupon_redeemed", 365),
    )[turn % 5]
    figure, most = Figure(kind, days), turn // 5
    return Group(id, figure.asked(at_most=most), f"{figure.name} <= {most}", (figure,))


def _in_province(id: str, turn: int) -> Group:
    province, figure = (
        PROVINCES[turn % 10],
        Figure(("mail_opened", "page_viewed", "app_opened")[turn % 3], (90, 365)[turn % 2]),
    )
    return Group(
        id,
        {"all": [{"attribute": {"field": "province", "in": [province]}}, figure.asked(at_least=1)]},
        f"province in ('{province}') and {figure.name} >= 1",
        (figure,),
    )


def _to_complete(id: str, turn: int) -> Group:
    field = ("phone", "company", "job_title", "city", "name")[turn % 5]
    return Group(
        id,
        {"all": [{"attribute": {"field": "email", "is": "known"}}, {"attribute": {"field": field, "is": "missing"}}]},
        f"email is not null and {field} is null",
    )


def _interested(id: str, turn: int) -> Group:
    form, other = (
        Figure("form_submitted", (90, 365)[turn % 2]),
        Figure(("webinar_joined", "coupon_redeemed")[turn % 2], 365),
    )
    least = 1 + turn // 2
    return Group(
        id,
        {"any": [form.asked(at_least=1), other.asked(at_least=least)]},
        f"({form.name} >= 1 or {other.name} >= {least})",
        (form, other),
    )


def _scored(id: str, turn: int) -> Group:
    least, province = (80, 70, 75, 90, 65)[turn % 5], PROVINCES[(turn + 4) % 10]
    return Group(
        id,
        {"all": [{"score": {"at_least": least}}, {"not": {"attribute": {"field": "province", "in": [province]}}}]},
        f"score >= {least} and not (province in ('{province}'))",
    )


def _bought(id: str, turn: int) -> Group:
    days, sum = (90, 365)[turn % 2], 50 * (turn + 1)
    return Group(
        id,
        {"all": [{"orders": {"at_least": 1, "within": f"{days}d"}}, {"spent": {"at_least": sum, "within": "365d"}}]},
        f"orders_{days} >= 1 and spent_365 >= {sum}",
        orders=(Orders(days), Orders(365)),
    )


def _dormant(id: str, turn: int) -> Group:
    days = (90, 60, 120, 180, 300)[turn % 5] + turn // 5
    return Group(
        id,
        {"all": [{"last_order": {"at_least_days_ago": days}}, {"attribute": {"field": "phone", "is": "known"}}]},
        f"days_since_order >= {days} and phone is not null",
    )


def _fifths(id: str, turn: int) -> Group:
    recency, frequency = (
        ((4, 5), (1, 2), (3, 3), (5, 5), (1, 1))[turn % 5],
        ((4, 5), (4, 5), (1, 5), (1, 2), (5, 5))[turn % 5],
    )
    fifths = {
        name: list(range(low, high + 1)) for name, (low, high) in (("recency", recency), ("frequency", frequency))
    }
    return Group(
        id,
        {"not": {"rfm": fifths}} if turn % 5 == 3 else {"rfm": fifths},
        f"{'not ' if turn % 5 == 3 else ''}(recency_rank between {recency[0]} and {recency[1]} and "
        f"frequency_rank between {frequency[0]} and {frequency[1]})",
    )


def _of_others(id: str, turn: int) -> Group:
    one, other, figure = f"s{turn * 10:03}", f"s{turn * 10 + 1:03}", Figure("webinar_joined", EVER)
    return Group(
        id,
        {"any": [{"all": [{"segment": {"id": one}}, {"not": {"segment": {"id": other}}}]}, figure.asked(at_least=2)]},
        f"(segment_{one} and not segment_{other} or {figure.name} >= 2)",
        (figure,),
    )


SHAPES = (_often, _absent, _in_province, _to_complete, _interested, _scored, _bought, _dormant, _fifths, _of_others)


def figures(groups: tuple[Group, ...]) -> tuple[Figure, ...]:
    """Every count that markets, rules and segments need, each once."""
    wanted = [figure for group in groups for figure in group.figures]
    wanted += [rule.evidence for rule in scoring() if isinstance(rule.evidence, Figure)]
    wanted += [Figure("page_viewed", 90), Figure("mail_opened", 90)]
    return tuple(sorted(set(wanted), key=lambda figure: figure.name))


def with_evidence() -> tuple[Figure, ...]:
    """The counts whose first and last event a reason shows."""
    return tuple(rule.evidence for rule in scoring() if isinstance(rule.evidence, Figure))


def definitions(count: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every definition of the company as "<folder>/<id>" and its content."""
    for id, (members, _, fields) in MARKETS.items():
        size = {"value": 1_000_000_000, "source": "invented", "as_of_on": "2026-01-01"}
        target = {"ratio": 0.85, "due_on": "2026-12-31"}
        yield f"markets/{id}", {"members": members, "required_fields": list(fields), "size": size, "target": target}
    for rule in scoring():
        nobody = {"given": {}, "points": sum(points for _, points in rule.cases) if rule.ones == 0 else 0}
        yield f"scoring/{rule.id}", {"kind": rule.kind, **rule.definition, "examples": [nobody]}
    for group in segments(count):
        yield f"segments/{group.id}", {"members": group.members}
    yield "lifecycle/main", {"preset": "preset_a"}
