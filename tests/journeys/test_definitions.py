"""A company's journey over a preset of Vesper's: what it must state itself, and what it takes."""

from pathlib import Path

import pytest

from tests.journeys.company import Company, happened, journey
from vesper.check import check
from vesper.clock import now
from vesper.load import load_definitions, parse
from vesper.model.journey import Journey
from vesper.presets import joined, preset_text
from warehouse.ledger.journey_erasure import forget_on_journeys

OWN = """
preset: coupon_after_view
owner: marketing
series: Spring2018
state: full
brief:
  persona: 看了咖啡机的人
  message: 现在下单可以用券
  cta: {what: 用券下单, benefit: 立减 10 元}
  stages: [prospect]
  timing: 春季
  goal: 10% 核销
max_people: 500
starts_on: 2018-03-01
ends_on: 2018-05-31
steps:
  - {id: coupon, owner: anna, give: {pool: spring}}
  - {id: tell, owner: anna, send: {content: spring_coupon}}
  - {id: three_days, owner: anna, within: 6d, wait: 5d}
  - {id: reminder, owner: bob, send: {content: spring_reminder}}
  - {id: call, owner: bob, within: 1d, task: {kind: call, due: 1d}}
"""


@pytest.mark.requirement("R102")
def test_a_preset_is_laid_over_step_by_step() -> None:
    whole = parse("journeys", "spring", joined(OWN, preset_text("journeys", "coupon_after_view") or ""))
    assert isinstance(whole, Journey)
    assert [(step.id, step.owner, step.within) for step in whole.steps] == [
        ("coupon", "anna", "1h"),
        ("tell", "anna", "1h"),
        ("three_days", "anna", "6d"),
        ("reminder", "bob", "1h"),
        ("call", "bob", "1d"),
    ]
    assert (whole.reentry, whole.steps[2].wait, whole.series) == ("after 90d", "5d", "Spring2018")
    assert whole.goal is not None


@pytest.mark.requirement("R102")
def test_who_answers_for_a_step_is_never_taken_from_a_preset(tmp_path: Path) -> None:
    (tmp_path / "vesper.toml").write_text('[company]\nname = "一家店"\nlanguage = "en"\n', encoding="utf-8")
    (tmp_path / "definitions" / "journeys").mkdir(parents=True)
    file = tmp_path / "definitions" / "journeys" / "spring.yml"
    file.write_text(OWN.partition("steps:")[0].lstrip(), encoding="utf-8")
    said = [problem.what for problem in check(tmp_path)]
    assert [what for what in said if "owner is missing" in what]
    file.write_text(OWN.replace("coupon_after_view", "coupon_after_vew").lstrip(), encoding="utf-8")
    assert [str(problem) for problem in check(tmp_path)] == [
        "definitions/journeys/spring.yml:1: There is no preset coupon_after_vew. Did you mean coupon_after_view?"
    ]


def test_the_presets_need_contents_pools_and_events_of_the_company(tmp_path: Path) -> None:
    (tmp_path / "vesper.toml").write_text('[company]\nname = "一家店"\nlanguage = "en"\n', encoding="utf-8")
    (tmp_path / "definitions" / "journeys").mkdir(parents=True)
    (tmp_path / "definitions" / "journeys" / "spring.yml").write_text(OWN.lstrip(), encoding="utf-8")
    said = " ".join(problem.what for problem in check(tmp_path))
    assert "no content spring_coupon" in said
    assert "no coupons spring" in said
    with pytest.raises(Exception, match="spring_coupon"):
        load_definitions(tmp_path)


def test_an_erased_person_leaves_every_journey_and_the_counts_stay(any_company: Company) -> None:
    company = any_company
    company.define(
        coupons__ten_off="says: x\nowner: o\nmade: {count: 5}\nwarn_below: 0\n",
        journeys__j1=journey(
            "id: gift, give: {pool: ten_off}", "id: call, task: {kind: call, due: 1d}", "id: pause, wait: 9d"
        ),
    )
    company.know(["c1", "c2"], [happened("page_viewed", 1, contact_id=who) for who in ("c1", "c2")])
    company.night(company.facts.events[0].on)
    steps = [row["step_id"] for row in company.visits()]
    with company.engine.begin() as connection:
        forget_on_journeys(connection, {"c1": "e111"}, now())
    assert {(row["contact_id"], row["state"], row["reason"]) for row in company.entries()} == {
        ("e111", "exited", "erased"),
        ("c2", "active", None),
    }
    assert sorted(row["step_id"] for row in company.visits()) == sorted(steps)
    assert {row["contact_id"] for rows in (company.visits(), company.coupons(), company.tasks()) for row in rows} == {
        "c2",
        "e111",
    }
    assert {row["contact_id"]: row["is_open"] for row in company.tasks()} == {"c2": True, "e111": False}
