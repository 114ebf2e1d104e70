"""A whole night with an experiment and a holdout, its page, a winner by the rule and one by a person (R92)."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from cli import app
from tasks.experiment import bind_experiments, judge_experiments
from tasks.experiment_page import decide, listed, pages, shown
from tasks.explain import explain_why
from tasks.night import directly, run_night
from tasks.sql import Unanswered, run_sql
from tasks.stage import open_stage
from tests.night.looking import engine_of
from tests.small_grocer import LAST, change, copied
from vesper.marts.experiment import EXPERIMENT
from vesper.marts.experiment_arm import EXPERIMENT_ARM
from warehouse.ledger.experiment import winners

TEXT = """\
says: 标题里问一句，点击会不会更多。
owner: marketing@grocer.example.com
question: 标题里问一句，点击会不会更多？
about: winback_silent
arms:
  - {id: plain, share: 0.5, variant: default}
  - {id: question, share: 0.5, variant: asks}
metric: {kind: click, within: 3d}
baseline: 0.2
smallest_effect: 0.3
winner: send_the_rest
starts_on: 2018-01-01
ends_on: 2018-01-14
"""
VARIANT = """\
  - id: asks
    blocks:
      zh_CN: {subject: 您多久没来了？}
      en: {subject: "How long has it been?"}
"""


@pytest.fixture(scope="module")
def done(composed_grocer: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first night of a small grocer that experiments."""
    root = copied(composed_grocer, tmp_path_factory.mktemp("experiment") / "grocer")
    own = root / "definitions"
    (own / "experiments").mkdir()
    (own / "experiments/question.yml").write_text(TEXT, encoding="utf-8")
    content = own / "content/winback_coupon.yml"
    (own / "content/asking.yml").write_text(content.read_text(encoding="utf-8") + VARIANT, encoding="utf-8")
    change(own / "campaigns/winback_silent.yml", "content: winback_coupon", "content: asking")
    change(own / "campaigns/winback_silent.yml", "max_people: 300", "max_people: 300\nholdout: 0.3")
    run_night(directly, root, LAST, True)
    return root


@pytest.fixture
def root(done: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(done, tmp_path / "grocer"))


def asked(root: Path, sql: str) -> list[dict[str, Any]]:
    names, rows = run_sql(root, sql)
    return [dict(zip(names, row, strict=True)) for row in rows]


@pytest.mark.requirement("R92")
def test_the_night_assigns_counts_and_says_that_it_is_too_early(root: Path) -> None:
    arms = asked(root, "select * from mart__experiment_arm order by place")
    sent = asked(
        root, "select variant, count(*) people from out__message where campaign_id = 'winback_silent' group by 1"
    )
    by_variant = {row["variant"]: row["people"] for row in sent}
    assert [row["arm_id"] for row in arms] == ["plain", "question"]
    assert [row["assigned_count"] for row in arms] == [by_variant["default"], by_variant["asks"]]
    (row,) = asked(root, "select * from mart__experiment")
    assert (row["state"], row["winner_id"], row["assigned_count"]) == ("too_early", None, sum(by_variant.values()))
    assert row["split_p"] > 0.001


@pytest.mark.requirement("R92")
def test_who_is_held_out_stands_in_the_refusals_and_in_the_lift(root: Path) -> None:
    query = "select count(*) people from out__refusal where campaign_id = 'winback_silent' and reason = 'holdout'"
    (held,) = asked(root, query)
    (lift,) = asked(root, "select * from mart__holdout_lift")
    assert held["people"] > 0
    assert (lift["holdout_id"], lift["held_count"]) == ("winback_silent", held["people"])


@pytest.mark.requirement("R92", "R113")
def test_explain_says_the_arm_and_the_holdout(root: Path) -> None:
    (dealt,) = asked(
        root, "select contact_id from out__message where campaign_id = 'winback_silent' and variant = 'asks' limit 1"
    )
    assert "| question | 标题里问一句，点击会不会更多？ | question | 2018-01-01 |" in explain_why(
        root, dealt["contact_id"], "winback_silent"
    )
    query = "select contact_id from out__refusal where campaign_id = 'winback_silent' and reason = 'holdout' limit 1"
    (held,) = asked(root, query)
    answer = explain_why(root, held["contact_id"], "winback_silent")
    assert "对照" in answer and "## 实验" not in answer


@pytest.mark.requirement("R92", "R110")
def test_the_page_says_what_it_needs_and_what_may_be_said(root: Path) -> None:
    page = shown(root, "question")
    assert page.startswith("# question")
    assert "为时尚早" in page and "样本量" in page and "| plain | 50% | variant default |" in page
    assert pages(root).keys() == {"question"}
    assert "为时尚早" in listed(root) and "winback_silent" in listed(root)
    told = CliRunner().invoke(app, ["experiment", "show", "question", "-w", str(root)])
    assert (told.exit_code, told.output.strip()) == (0, page.strip())
    with pytest.raises(Unanswered, match="questoin"):
        shown(root, "questoin")


@pytest.mark.requirement("R92")
def test_a_person_declares_a_winner_with_a_reason_and_takes_it_back(root: Path) -> None:
    with pytest.raises(Unanswered):
        decide(root, "question", "question", "anna", " ")
    with pytest.raises(Unanswered, match="askes"):
        decide(root, "question", "askes", "anna", "why not")
    decide(root, "question", "question", "anna", "the trade fair is tomorrow")
    engine = engine_of(root)
    assert winners(engine) == {"question": "question"}
    assert "the trade fair is tomorrow" in shown(root, "question") and "anna" in shown(root, "question")
    decide(root, "question", None, "ben", "a wrong price")
    assert winners(engine) == {}
    engine.dispose()


def figures(*arms: tuple[str, int, int]) -> list[dict[str, Any]]:
    """Rows of mart__experiment_arm with planted counts."""
    return [
        {
            "business_on": LAST,
            "experiment_id": "question",
            "arm_id": arm_id,
            "place": place,
            "share": 0.5,
            "assigned_count": people,
            "sent_count": people,
            "clicked_count": did,
            "closed_count": people,
            "converted_count": did,
            "rate": did / people,
            "rate_low": 0.0,
            "rate_high": 1.0,
            "definition_hash": "x",
        }
        for place, (arm_id, people, did) in enumerate(arms, 1)
    ]


def judged(root: Path, rows: Sequence[dict[str, Any]], may_decide: bool) -> dict[str, Any]:
    """The send stage's verdict on planted figures, by its own code."""
    with open_stage(root, "send", LAST, True, "night", 2) as bench:
        bind_experiments(bench)
        bench.fill(EXPERIMENT_ARM, sa.select(bench.bind_rows("planted", EXPERIMENT_ARM, rows)))
        judge_experiments(bench, may_decide)
        (row,) = bench.records(sa.select(EXPERIMENT).where(EXPERIMENT.c.business_on == LAST))
    return row


@pytest.mark.requirement("R92")
def test_the_rule_declares_a_winner_once_with_figures_and_the_time(root: Path) -> None:
    rows = figures(("plain", 1000, 200), ("question", 1000, 320))
    assert judged(root, rows, False)["winner_id"] is None
    row = judged(root, rows, True)
    assert (row["state"], row["winner_id"], row["decided_by"]) == ("winner", "question", "vesper")
    engine = engine_of(root)
    assert winners(engine) == {"question": "question"}
    engine.dispose()
    assert judged(root, figures(("plain", 1000, 320), ("question", 1000, 200)), True)["winner_id"] == "question"
    assert "question" in shown(root, "question")


@pytest.mark.requirement("R92")
def test_a_wrong_split_declares_nobody(root: Path) -> None:
    row = judged(root, figures(("plain", 1000, 200), ("question", 1200, 600)), True)
    assert (row["state"], row["winner_id"]) == ("srm", None)
    with pytest.raises(Unanswered, match="p ="):
        decide(root, "question", "question", "anna", "it looks better")
