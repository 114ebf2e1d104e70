"""`vesper new journey`: a company that takes a preset gets its contents, coupons and recommendations as files of its own."""

from pathlib import Path

import pytest

from tasks.new_journey import new_journey
from tasks.sql import Unanswered
from tests.content.contents import WORDS
from tests.definitions.conftest import Company
from vesper.content import written
from vesper.load import parse
from vesper.model.content import Content
from vesper.model.journey import Journey
from vesper.presets import preset_ids, preset_text
from vesper.sent import sent_by

PRESETS = sorted(preset_ids("journeys"))
FOR_THE_COMPANY = ("There is no lifecycle stage", "There is no segment", "No source brings", "No source feeds")
"""What only the company can bring: its stages, segments and sources."""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    Company(tmp_path)
    return tmp_path


@pytest.mark.requirement("R75", "R102", "R118")
@pytest.mark.parametrize("preset", PRESETS)
def test_a_company_that_takes_a_preset_gets_all_that_it_sends(root: Path, preset: str) -> None:
    names = new_journey(root, "spring", preset, "anna")
    assert names[0] == "definitions/journeys/spring.yml"
    shipped = parse("journeys", preset, preset_text("journeys", preset) or "")
    assert isinstance(shipped, Journey)
    assert {f"definitions/{sent.name}.yml" for sent in sent_by(shipped)} <= set(names)
    assert {f"definitions/coupons/{step.give.pool}.yml" for step in shipped.steps if step.give} <= set(names)
    for name in names:
        assert "vesper" not in [line.partition(": ")[2] for line in (root / name).read_text("utf-8").splitlines()]
    assert [one.what for one in Company(root).problems() if not one.what.startswith(FOR_THE_COMPANY)] == []


@pytest.mark.parametrize("id", sorted(preset_ids("content")))
@pytest.mark.requirement("R79", "R89")
def test_what_a_preset_says_can_be_filled_in_both_languages(id: str) -> None:
    content = parse("content", id, preset_text("content", id) or "")
    assert isinstance(content, Content)
    assert content.languages == ("zh_CN", "en")
    for language in content.languages:
        said = written(content, language)
        for words in (WORDS, WORDS | {"recommended": [], "name": ""}, WORDS | {"coupon_code": "ABC123"}):
            mail = said.fill(words)
            assert "https://m.example.com/u/abc" in mail.text
            assert ("红外热像仪" in mail.text) == bool(content.recommends and words["recommended"])
            assert ("ABC123" in mail.html) == (
                "coupon_code" in said.variants["default"].words and bool(words["coupon_code"])
            )


@pytest.mark.requirement("R118")
def test_the_presets_of_selling_more_recommend() -> None:
    for preset in ("cross_sell", "replenishment"):
        journey = parse("journeys", preset, preset_text("journeys", preset) or "")
        assert isinstance(journey, Journey)
        for sent in sent_by(journey):
            content = parse("content", str(sent.content), preset_text("content", str(sent.content)) or "")
            assert isinstance(content, Content)
            assert content.recommends == preset
            assert preset in preset_ids("recommendations")


def test_what_is_there_already_is_left_alone(root: Path) -> None:
    own = root / "definitions/content/birthday_wish.yml"
    own.write_text("mine\n", encoding="utf-8")
    names = new_journey(root, "wishes", "birthday")
    assert "definitions/content/birthday_wish.yml" not in names
    assert own.read_text(encoding="utf-8") == "mine\n"


def test_a_name_that_is_taken_or_none_is_refused_in_a_sentence(root: Path) -> None:
    new_journey(root, "wishes", "birthday")
    with pytest.raises(Unanswered, match="There is a journey wishes already"):
        new_journey(root, "wishes", "birthday")
    with pytest.raises(Unanswered, match=r"There is no preset birthda\. Did you mean birthday"):
        new_journey(root, "more", "birthda")
    with pytest.raises(Unanswered, match="does not name a journey"):
        new_journey(root, "../x", "birthday")
