"""A company that has everything the report page can show: goals, tags, tiers, personas, leads, hand-overs; and one night of it in tables.

What belongs here: definitions and rows. What does not: what the page must say of them.
"""

import datetime as dt
from typing import Any

from tests.measure.shop import AT, TONIGHT, Shop, market, night
from vesper.marts.buried_lead import BURIED_LEAD
from vesper.marts.calibration import CALIBRATION
from vesper.marts.follow_up import FOLLOW_UP
from vesper.marts.goal import GOAL, goals
from vesper.marts.handover import HANDOVER
from vesper.marts.lead import LEAD
from vesper.marts.leakage import LEAKAGE
from vesper.marts.lost_reason import LOST_REASON
from vesper.marts.persona import PERSONA
from vesper.marts.score import PREVIOUS_SCORE, SCORE
from vesper.marts.score_hold import SCORE_HOLD
from vesper.marts.score_reason import SCORE_REASON
from vesper.marts.tag import TAG
from vesper.marts.tier import TIER
from vesper.marts.visibility import VISIBILITY, visibility
from vesper.marts.visibility_gap import VISIBILITY_GAP, visibility_gap
from vesper.marts.visibility_source import VISIBILITY_SOURCE
from vesper.model.goal import Goal
from vesper.model.market import MarketSize
from vesper.model.persona import Persona
from vesper.model.policy import ScoringPolicy
from vesper.model.scoring import ScoringRule
from vesper.model.tag import Tag
from vesper.model.tier import Tiering
from vesper.night import Night

NAMES = ("欧阳小明", "李雷", "韩梅梅", "上官云", "司徒静")
DAY = {"business_on": TONIGHT, "definition_hash": "x"}
WORDS = {"says": {"zh_CN": "说明", "en": "Said"}, "owner": "marketing"}
ALWAYS: dict[str, Any] = {"always": {}}


def both(chinese: str, english: str) -> dict[str, str]:
    return {"zh_CN": chinese, "en": english}


def company(language: str = "zh_CN") -> Night:
    """A market with a range, a start and a field target; one counted in companies; goals, tags, tiers, personas, scoring rules."""
    estimate = {"value": 8, "low": 6, "high": 10, "source": "2017 census", "as_of_on": "2017-06-30"}
    everybody = market(
        "everybody",
        name=both("全部家庭", "Everybody"),
        field_targets={"phone": {"ratio": 0.9, "due_on": "2018-03-31"}},
        target={"ratio": 0.85, "due_on": "2017-12-31", "from": {"ratio": 0.05, "on": "2017-01-01"}},
    ).model_copy(update={"size": MarketSize.model_validate(estimate)})
    return night(
        everybody,
        market("firms", size=2, fields=("phone",), name=both("企业", "Firms"), counts="companies"),
        *_goals(),
        Tag.model_validate({"id": "quiet", **WORDS, "name": both("安静", "Quiet"), "members": ALWAYS}),
        Tag.model_validate({"id": "unused", **WORDS, "name": both("无人", "Unused"), "members": ALWAYS}),
        Persona.model_validate(
            {"id": "parents", **WORDS, "name": both("父母", "Parents"), "product": "奶粉", "members": ALWAYS}
        ),
        Tiering.model_validate(
            {
                "id": "value",
                **WORDS,
                "name": both("价值", "Value"),
                "tiers": [
                    {"id": "gold", "name": both("金", "Gold"), "when": {"orders": {"at_least": 3}}},
                    {"id": "basic", "name": both("普通", "Basic"), "when": ALWAYS},
                ],
            }
        ),
        ScoringPolicy.model_validate({"id": "scoring", **WORDS}),
        ScoringRule.model_validate(
            {
                "id": "clicked",
                **WORDS,
                "name": both("点击", "Clicked"),
                "kind": "engagement",
                "when": {"orders": {"at_least": 1}},
                "points": 25,
                "examples": [{"given": {}, "points": 0}],
            }
        ),
        language=language,
    )


def _goals() -> list[Goal]:
    more = {**WORDS, "pain_point": both("客户少", "Few customers"), "expected_effect": both("客户多", "More customers")}
    members = {
        "id": "members",
        "name": both("新增会员", "New members"),
        "level": "business",
        "measures": {"new_contacts": {}},
    }
    seen = {"id": "seen", "name": both("可见度", "Visibility"), "level": "marketing", "serves": "members"}
    return [
        Goal.model_validate({**more, **seen, "measures": {"monitor": "visibility_ratio"}, "baseline": {"value": 0.1, "on": "2016-12-31"},
                             "target": 0.5, "due_on": "2017-11-30"}),
        Goal.model_validate({**more, **members, "baseline": {"value": 2, "on": "2016-12-31"}, "target": 12, "due_on": "2018-06-30"}),
    ]  # fmt: skip


def fill(shop: Shop, tonight: Night) -> None:
    """Five people, two of them newly MQL, and everything that follows."""
    for number, name in enumerate(NAMES, start=1):
        phone = f"+861381234567{number}" if number < 3 else None
        shop.contact(f"c{number}", name=name, phone=phone, company_id="f1" if number == 1 else None)
    for number, (score, before) in enumerate([(85, 60), (80, None), (95, 80), (60, 60), (100, 60)], start=1):
        id = f"c{number}"
        _score(shop, id, score, before)
        shop.put(
            TIER,
            {
                **DAY,
                "tiering_id": "value",
                "contact_id": id,
                "tier": "gold" if number == 1 else "basic",
                "since_on": TONIGHT,
            },
        )
        if number < 4:
            shop.put(TAG, {**DAY, "tag_id": "quiet", "contact_id": id, "since_on": TONIGHT})
    shop.put(PERSONA, {**DAY, "persona_id": "parents", "contact_id": "c2", "since_on": TONIGHT})
    for table, mart in ((VISIBILITY, visibility), (VISIBILITY_GAP, visibility_gap), (GOAL, goals)):
        shop.fill(table, mart(tonight))
    _sources(shop)
    _sales(shop)


def _score(shop: Shop, id: str, score: int, before: int | None) -> None:
    more = {"fit_score": 0, "engagement_score": score - 60, "mql_preset": "score", "score_changed_on": TONIGHT}
    shop.put(SCORE, {**DAY, "contact_id": id, "score": score, "is_mql": score >= 80, "previous_score": before, **more})
    if before is not None:
        shop.put(PREVIOUS_SCORE, {**DAY, "contact_id": id, "score": before, "is_mql": before >= 80, **more})
    reason = {**DAY, "contact_id": id, "evidence_count": 1}
    shop.put(SCORE_REASON, {**reason, "rule_id": "base", "kind": "base", "points": 60})
    if score > 60:
        shop.put(SCORE_REASON, {**reason, "rule_id": "clicked", "kind": "engagement", "points": 25})
    if score not in (60, 85):
        shop.put(SCORE_REASON, {**reason, "rule_id": "clamp", "kind": "clamp", "points": score - 85})


def _sources(shop: Shop) -> None:
    row = {**DAY, "market_id": "everybody", "field": "phone", "missing_count": 3, "absent_count": 3}
    shop.put(VISIBILITY_SOURCE, {**row, "source": "hotline", "fill_ratio": 1.0, "expected_count": 3})
    shop.put(VISIBILITY_SOURCE, {**row, "source": "app", "fill_ratio": 0.5, "expected_count": 1})
    row |= {"field": "name", "missing_count": 1, "absent_count": 1}
    shop.put(VISIBILITY_SOURCE, {**row, "source": "app", "fill_ratio": 0.2, "expected_count": 0})


def _sales(shop: Shop) -> None:
    """Leads, leaks, lost reasons, hand-overs, follow-up, calibration and a held rule."""
    lead = {**DAY, "opened_at": AT, "recycle_count": 0}
    shop.put(LEAD, {**lead, "contact_id": "c1", "status": "to_sales", "closed_at": AT})
    shop.put(LEAD, {**lead, "contact_id": "c4", "status": "open", "recycle_count": 2})
    shop.put(BURIED_LEAD, {**DAY, "contact_id": "c4", "status": "open", "opened_at": AT, "idle_days": 214})
    leak = {**DAY, "after_days": 2, "base_count": 8, "leaked_count": 3, "leak_ratio": 0.375}
    shop.put(LEAKAGE, {**leak, "kind": "untouched"})
    shop.put(
        LEAKAGE, {**leak, "kind": "discarded", "after_days": 0, "base_count": 0, "leaked_count": 0, "leak_ratio": None}
    )
    lost = {**DAY, "segment_id": "*", "outcome": "rejected", "outcome_count": 4, "reason_ratio": 0.8}
    shop.put(
        LOST_REASON,
        {**lost, "reason_code": "no_budget"},
        {**lost, "reason_code": "unstated", "outcome_count": 1, "reason_ratio": 0.2},
    )
    handover = {"episode": 1, "cause": "mql", "score": 85, "created_at": AT, "is_late": False, "due_at": AT}
    shop.put(HANDOVER, {**handover, "handover_id": "h1", "contact_id": "c1", "business_on": TONIGHT, "state": "open"})
    earlier = TONIGHT - dt.timedelta(days=3)
    shop.put(
        HANDOVER, {**handover, "handover_id": "h2", "contact_id": "c3", "business_on": earlier, "state": "accepted"}
    )
    team = {
        **DAY,
        "due_count": 10,
        "timely_count": 8,
        "late_count": 2,
        "open_count": 1,
        "timely_ratio": 0.8,
        "target_ratio": 0.9,
    }
    shop.put(FOLLOW_UP, *[{**team, "owner": owner} for owner in ("all", "unassigned", "zhang")])
    band = {**DAY, "scored_on": TONIGHT - dt.timedelta(days=30), "score_from": 80, "band": "80-89", "contact_count": 20}
    shop.put(
        CALIBRATION, {**band, "converted_count": 7, "conversion_ratio": 0.35, "accepted_count": 9, "rejected_count": 3}
    )
    hold = {**DAY, "rule_id": "clicked", "sources": "web", "held_since_on": TONIGHT, "fresh_on": TONIGHT, "age_days": 0}
    shop.put(SCORE_HOLD, {**hold, "contact_count": 5, "is_stale": False})
