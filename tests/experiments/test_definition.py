"""An experiment that cannot be answered is never loaded: shares, variants, one question at a time, and enough people (R92)."""

from pathlib import Path

import pytest

from tests.definitions.conftest import CAMPAIGN, CONTENT, Company
from vesper.load import load_definitions, parse
from vesper.model.experiment import Experiment
from vesper.model.holdout import holdout_policy

ENOUGH = CAMPAIGN.replace("max_people: 300", "max_people: 1000")
GOOD = """\
says: 标题
owner: marketing
question: Does a question in the subject bring more clicks?
about: winback
arms:
  - {id: plain, share: 0.5, variant: default}
  - {id: question, share: 0.5, variant: asks}
metric: {kind: click, within: 3d}
baseline: 0.2
smallest_effect: 0.15
starts_on: 2018-01-01
ends_on: 2018-01-14
"""
VARIANT = """\
variants:
  - id: asks
    blocks:
      zh_CN: {subject: 您多久没来了？}
"""
JOURNEY = """\
says: 旅程
owner: marketing
series: S1
state: full
brief:
  persona: 老客
  message: 回来吧
  cta: {what: 到店, benefit: 减 10 元}
  stages: [at_risk]
  timing: 一月
  goal: 8% 再次下单
purpose: marketing
max_people: 1000
starts_on: 2018-01-01
ends_on: 2019-12-31
entry: {event: {kind: coupon_redeemed}}
steps:
  - {id: hello, owner: anna, within: 2d, send: {content: winback}}
  - {id: pause, owner: anna, within: 9d, wait: 3d}
examples: [{expect: []}]
"""


@pytest.fixture
def company(tmp_path: Path) -> Company:
    made = Company(tmp_path)
    made.write("content/winback.yml", CONTENT + VARIANT)
    made.write("campaigns/winback.yml", ENOUGH)
    made.write("experiments/subject.yml", GOOD)
    return made


def said(company: Company) -> list[str]:
    return [
        f"{problem.file.removeprefix('definitions/')}:{problem.line}: {problem.what}" for problem in company.problems()
    ]


@pytest.mark.requirement("R92")
def test_a_good_experiment_has_no_problem(company: Company) -> None:
    assert said(company) == []
    known = load_definitions(company.root)
    one = known.one(Experiment, "subject")
    assert one.needed_people == 536
    assert holdout_policy(known).share == 0.0


@pytest.mark.requirement("R92")
@pytest.mark.parametrize(
    ("old", "new", "line", "what"),
    [
        ("share: 0.5, variant: asks", "share: 0.4, variant: asks", 1, "The shares of the arms sum to 0.9."),
        ("variant: asks", "variant: askes", 7, "The content winback has no variant askes."),
        ("variant: asks", "content: story", 7, "There is no content story."),
        ("variant: asks", "journey: welcome", 1, "Some arms are journeys and some are not."),
        ("variant: asks}", "variant: asks, content: winback}", 7, "An arm is one way of doing it."),
        ("id: question", "id: plain", 1, "Two arms have the same id."),
        ("about: winback", "about: spring", 4, "There is no campaign or journey spring."),
        ("about: winback", "about: winback\nstep: send", 5, "A campaign has no steps."),
        ("kind: click", "kind: event", 8, "A metric says what it counts."),
        ("kind: click", "kind: event, event: moved", 8, "No source brings the event moved."),
        ("kind: click", "kind: coupon, pool: spring", 8, "There is no pool of coupons spring."),
        ("baseline: 0.2", "baseline: 0.9", 1, "The rate and the effect sum to more than everybody."),
        ("ends_on: 2018-01-14", "ends_on: 2017-12-31", 1, "The experiment ends before it starts."),
        ("baseline: 0.2", "method: fixed\nbaseline: 0.2", 1, "A fixed test is read once, at its horizon."),
        (
            "baseline: 0.2",
            "method: fixed\nhorizon: 3d\nbaseline: 0.2",
            10,
            "The test is read after 3d, and nobody's outcome is settled before 3d.",
        ),
        (
            "smallest_effect: 0.15",
            "smallest_effect: 0.01",
            10,
            "The arms need 99156 people together, and winback gives them 1000 at most.",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_line(company: Company, old: str, new: str, line: int, what: str) -> None:
    assert old in GOOD
    company.write("experiments/subject.yml", GOOD.replace(old, new, 1))
    assert f"experiments/subject.yml:{line}: {what}" in said(company)


@pytest.mark.requirement("R92")
def test_the_audience_must_give_the_people_that_the_answer_needs(company: Company) -> None:
    company.write("experiments/subject.yml", GOOD.replace("about: winback", "about: winback\nof_audience: 0.5"))
    assert said(company) == [
        "experiments/subject.yml:11: The arms need 536 people together, and winback gives them 500 at most."
    ]


@pytest.mark.requirement("R92")
def test_two_experiments_at_one_place_must_follow_each_other(company: Company) -> None:
    company.write("experiments/words.yml", GOOD)
    assert said(company) == [
        "experiments/words.yml:11: subject asks the same people at the same place at the same time."
    ]
    later = GOOD.replace("2018-01-01", "2018-01-15").replace("2018-01-14", "2018-01-31")
    company.write("experiments/words.yml", later)
    assert said(company) == []


@pytest.mark.requirement("R92")
def test_a_variant_without_a_condition_needs_an_experiment(company: Company) -> None:
    (company.root / "definitions/experiments/subject.yml").unlink()
    (found,) = said(company)
    assert found.endswith("Nobody ever gets the variant asks: it has no condition, and no experiment gives it.")


@pytest.mark.requirement("R92")
def test_an_experiment_on_a_journey_names_a_step_that_sends(company: Company) -> None:
    company.write("journeys/welcome.yml", JOURNEY)
    company.write("experiments/subject.yml", GOOD.replace("about: winback", "about: welcome"))
    assert "experiments/subject.yml:4: Nothing says which step of the journey welcome the experiment is about." in said(
        company
    )
    company.write("experiments/subject.yml", GOOD.replace("about: winback", "about: welcome\nstep: pause"))
    assert "experiments/subject.yml:5: The journey has no sending step pause." in said(company)
    company.write("experiments/subject.yml", GOOD.replace("about: winback", "about: welcome\nstep: hello"))
    assert [one for one in said(company) if one.startswith("experiments")] == []


@pytest.mark.requirement("R92")
def test_a_holdout_withholds_marketing_only(company: Company) -> None:
    text = ENOUGH.replace("purpose: marketing", "purpose: operational\nholdout: 0.1")
    company.write("campaigns/winback.yml", text)
    assert any("A holdout withholds marketing, and this is operational." in one for one in said(company))


@pytest.mark.requirement("R92", "R111")
def test_the_sentences_are_there_in_chinese(company: Company) -> None:
    company.speak("zh_CN")
    company.write("experiments/subject.yml", GOOD.replace("variant: asks", "variant: askes").replace("0.15", "0.01"))
    size = next(one for one in said(company) if one.startswith("experiments/subject.yml:10:"))
    assert size.endswith("各组合计需要 99156 人，而 winback 最多只能提供 1000 人。")


@pytest.mark.requirement("R92", "R122")
def test_the_example_of_the_manual_is_a_good_one(repository: Path) -> None:
    text = (repository / "docs/experiments.md").read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    one = parse("experiments", "question", text)
    assert isinstance(one, Experiment)
    assert one.needed_people > 2 * 13_809
