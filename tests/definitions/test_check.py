"""Planted errors: `check` names the exact file and line, says what is wrong in a sentence, and what would be right."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.definitions.conftest import GOOD, RULE, SEGMENT, Company
from vesper.check import check
from vesper.load import load_definitions
from vesper.problem import DefinitionsInvalid, Problem

Only = Callable[[], Problem]


def test_a_good_company_has_no_problems(company: Company) -> None:
    assert company.problems() == []


# key of the definition, what is replaced, by what, the line, words of the sentence, words of the advice
PLANTED = [
    ("segments/dormant", "at_least_days_ago", "at_leest_days_ago", 3, "at_leest_days_ago is not a key", "at_least_days_ago?"),
    ("segments/dormant", "last_order", "lastorder", 3, "members.lastorder is not a key", "last_order?"),
    ("segments/dormant", "90", '"90"', 3, "must be a whole number, not 90", "without quotes"),
    ("segments/dormant", "90", "090", 3, "090 could be read as another number", "in quotes"),
    ("segments/dormant", "owner: marketing\n", "", 1, "owner is missing", "Add it"),
    ("segments/dormant", "owner: marketing", "owner: ''", 2, "owner is empty", "Write it"),
    ("segments/dormant", "owner: marketing", "owner: marketing\nowner: sales", 3, "owner stands twice; the first is on line 2", "Keep one"),
    ("segments/dormant", "members:", "members", 3, "not valid YAML", "Check indentation"),
    ("segments/dormant", "says: 沉睡", "says: 沉睡\nid: other", 2, "The id is not written in the file", "Drop it"),
    ("segments/dormant", "{last_order: {at_least_days_ago: 90}}", "{segment: {id: dorment}}", 3, "no segment dorment", "dormant?"),
    ("segments/dormant", "{last_order: {at_least_days_ago: 90}}", "{segment: {id: dormant}}", 3, "dormant -> dormant", "Drop one"),
    ("segments/dormant", "{last_order: {at_least_days_ago: 90}}", "{stage: {in: [prospect, at_rsk]}}", 3, "no lifecycle stage at_rsk", "at_risk?"),
    ("segments/dormant", "{last_order: {at_least_days_ago: 90}}", "{events: {kind: coupon_redemed}}", 3, "event coupon_redemed", "coupon_redeemed?"),
    ("segments/dormant", "{last_order: {at_least_days_ago: 90}}", "{attribute: {field: phon, is: known}}", 3, "phon is not a word", "phone?"),
    ("segments/dormant", "{last_order: {at_least_days_ago: 90}}", "{orders: {within: 1 week}}", 3, "1 week is not written as a time", "7d"),
    ("segments/dormant", "{last_order: {at_least_days_ago: 90}}", "{orders: {within: 7d}, always: {}}", 3, "exactly one key; here are 2", "all: or any:"),
    ("segments/dormant", "{last_order: {at_least_days_ago: 90}}", "{bought: {category: [A]}}", 3, "No source feeds product", "Define such a source"),
    ("scoring/two_orders", "kind: engagement", "kind: engagment", 3, "engagment is not a word", "engagement?"),
    ("scoring/two_orders", "{orders: {at_least: 2, within: 7d}}", "{score: {at_least: 80}}", 4, "score is found after scoring", "facts"),
    ("scoring/two_orders", "points: 10", "points: 1000", 5, "the largest allowed is 100", "Lower it"),
    ("scoring/two_orders", "examples:\n  - {given: {}, points: 0}\n", "", 1, "examples is missing", "Add it"),
    ("campaigns/winback", "segment: dormant", "segment: dormat", 12, "no segment dormat", "dormant?"),
    ("campaigns/winback", "content: winback", "content: winbak", 14, "no content winbak", "winback?"),
    ("campaigns/winback", "channel: email", "channel: emial", 13, "emial is not a word", "email?"),
    ("campaigns/winback", "stages: [at_risk]", "stages: [at_risc]", 9, "no lifecycle stage at_risc", "at_risk?"),
    ("campaigns/winback", "  timing: 一月\n", "", 5, "brief.timing is missing", "Add it"),
    ("campaigns/winback", ", benefit: 减 10 元", "", 8, "brief.cta.benefit is missing", "Add it"),
    ("campaigns/winback", "ends_on: 2018-03-31", "ends_on: 2018-02-30", 18, "2018-02-30 is not a date", "2017-12-31"),
    ("content/winback", "      退订：{{ unsubscribe_url }}\n", "", 4, "no unsubscribe element", "{{ unsubscribe_url }}"),
    ("content/winback", "{{ name }}", "{{ nmae }}", 7, "no word nmae", "name?"),
    ("content/winback", "{{ name }}", "{{ name }", 7, "The template cannot be read", "braces"),
    ("sources/shop_order", "ordered_at:", "orderd_at:", 15, "orderd_at is not a field of order_line", "ordered_at?"),
    ("sources/shop_order", "type: money", "type: text", 14, "amount cannot be of type text", "money"),
    ("sources/shop_order", "type: money", "type: mony", 14, "mony is not a word", "money?"),
    ("sources/shop_order", "key: [order_id, product_code]", "key: [order_id, product]", 9, "names product, which is not among", "product_code?"),
    ("sources/shop_order", "late: block", "late: bloc", 7, "bloc is not a word", "block?"),
    ("sources/shop_redemption", "carry_forward", "carry_foward", 8, "late.carry_foward is not a key", "carry_forward?"),
    ("sources/shop_redemption", "event_kind: coupon_redeemed\n", "", 1, "which kind of event", "event_kind"),
    ("sources/shop_redemption", "late:", "zone: Asia/Shangai\nlate:", 8, "Asia/Shangai is not a time zone", "Asia/Shanghai?"),
    ("lifecycle/main", "preset_a", "preset_aa", 3, "no lifecycle preset_aa", "preset_a?"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "old", "new", "line", "what", "instead"), PLANTED)
def test_planted_error(company: Company, key: str, old: str, new: str, line: int, what: str, instead: str) -> None:
    company.spoil(key, old, new)
    found = company.problems()
    named = [problem for problem in found if what in problem.what]
    assert [(problem.file, problem.line) for problem in named] == [(f"definitions/{key}.yml", line)], found
    assert instead in named[0].instead
    # A misspelled field is also a missing one; otherwise one slip is told once.
    assert all("needs the field" in also.what or "is missing" in also.what for also in found if also not in named), (
        found
    )


@pytest.mark.requirement("R2")
def test_a_source_whose_contract_is_not_whole_is_never_loaded(company: Company) -> None:
    company.spoil("sources/shop_order", "  amount: {column: d, type: money}\n", "")
    with pytest.raises(DefinitionsInvalid, match=r"sources/shop_order.yml:10: .*needs the field amount"):
        load_definitions(company.root)


@pytest.mark.requirement("R72")
@pytest.mark.parametrize("line", ["persona", "message", "cta", "stages", "timing", "goal"])
def test_a_campaign_without_a_whole_brief_is_never_loaded(company: Company, line: str) -> None:
    brief = GOOD["campaigns/winback"].splitlines(keepends=True)
    company.write("campaigns/winback.yml", "".join(row for row in brief if not row.startswith(f"  {line}:")))
    with pytest.raises(DefinitionsInvalid, match=f"brief.{line} is missing"):
        load_definitions(company.root)


@pytest.mark.requirement("R84")
def test_an_unknown_channel_is_refused(company: Company) -> None:
    company.spoil("campaigns/winback", "channel: email", "channel: carrier_pigeon")
    with pytest.raises(DefinitionsInvalid, match="carrier_pigeon is not a word known here"):
        load_definitions(company.root)


@pytest.mark.requirement("R89")
def test_every_language_needs_its_unsubscribe_element(company: Company) -> None:
    company.write("content/winback.yml", GOOD["content/winback"] + "  en:\n    subject: Hello\n    text: Come back\n")
    with pytest.raises(DefinitionsInvalid, match=r"content/winback.yml:9: .*unsubscribe"):
        load_definitions(company.root)


@pytest.mark.requirement("R102")
@pytest.mark.parametrize("key", GOOD)
def test_every_definition_has_an_owner(company: Company, key: str) -> None:
    company.write(f"{key}.yml", re.sub(r"^owner: .*\n", "", GOOD[key], flags=re.MULTILINE))
    assert [problem.what for problem in company.problems()] == ["owner is missing."]


def test_problems_of_several_files_come_in_order(company: Company) -> None:
    company.spoil("segments/dormant", "owner", "ownr")
    company.spoil("campaigns/winback", "purpose", "purpos")
    found = company.problems()
    assert found == sorted(found)
    assert {problem.file for problem in found} == {
        "definitions/campaigns/winback.yml",
        "definitions/segments/dormant.yml",
    }
    # The segment could not be read, but it is there: the campaign that uses it is not blamed for it.
    assert not [problem for problem in found if "no segment" in problem.what]


def test_a_ring_of_segments_is_told_once(company: Company, one_problem: Only) -> None:
    for one, other in (("a", "b"), ("b", "c"), ("c", "a")):
        company.write(
            f"segments/{one}.yml",
            SEGMENT.replace("{last_order: {at_least_days_ago: 90}}", f"{{segment: {{id: {other}}}}}"),
        )
    problem = one_problem()
    assert (problem.file, problem.line) == ("definitions/segments/a.yml", 3)
    assert "a -> b -> c -> a" in problem.what


BANDED = """\
says: 下单次数
owner: marketing
kind: engagement
when: {orders: {within: 30d}}
bands:
  - {at_least: 0, at_most: 1, points: 5}
  - {at_least: 2, points: 20}
examples:
  - {given: {}, points: 5}
"""


@pytest.mark.requirement("R51", "R52")
@pytest.mark.parametrize(
    ("bands", "what"),
    [
        ("[{at_least: 0, at_most: 0, points: 5}, {at_least: 2, points: 20}]", "a gap at 1"),
        ("[{at_least: 1, points: 20}]", "a gap at 0"),
        ("[{at_least: 0, at_most: 1, points: 5}, {at_least: 2, at_most: 9, points: 20}]", "a gap at 10"),
        ("[{at_least: 0, at_most: 2, points: 5}, {at_least: 2, points: 20}]", "claim the count 2"),
        ("[{at_least: 0, points: 5}, {at_least: 2, points: 20}]", "takes every larger count"),
    ],
)
def test_a_banded_rule_with_a_gap_is_refused(company: Company, one_problem: Only, bands: str, what: str) -> None:
    company.write("scoring/banded.yml", BANDED)
    assert company.problems() == []
    start, end = BANDED.index("bands:"), BANDED.index("examples:")
    company.write("scoring/banded.yml", BANDED[:start] + f"bands: {bands}\n" + BANDED[end:])
    assert what in one_problem().what


@pytest.mark.parametrize(
    ("name", "file", "what", "instead"),
    [
        ("segments/vip.yaml", "definitions/segments/vip.yaml", "this file is not read", "vip.yml"),
        ("segments/Gold Card.yml", "definitions/segments/Gold Card.yml", "cannot be an id", "gold_card.yml"),
        ("segmnets/vip.yml", "definitions/segmnets", "no kind of definition", "segments?"),
        ("segments/new/vip.yml", "definitions/segments/new", "is not read", "one folder up"),
        ("policy/frequancy.yml", "definitions/policy/frequancy.yml", "no policy frequancy", "frequency?"),
    ],
)
def test_files_that_would_be_passed_over(company: Company, name: str, file: str, what: str, instead: str) -> None:
    company.write(name, SEGMENT)
    named = [problem for problem in company.problems() if problem.file == file and what in problem.what]
    assert named, company.problems()
    assert instead in named[0].instead


def test_two_spellings_of_one_id(company: Company) -> None:
    """A copy with the other ending is the usual way to the same id twice."""
    company.write("segments/dormant.yaml", SEGMENT)
    assert [problem.file for problem in company.problems()] == ["definitions/segments/dormant.yaml"]


def test_reserved_rule_names(company: Company, one_problem: Only) -> None:
    company.write("scoring/base.yml", RULE)
    assert "cannot be called base" in one_problem().what


def test_a_file_that_is_no_utf_8(company: Company, one_problem: Only) -> None:
    (company.root / "definitions/segments/dormant.yml").write_bytes("says: x\nowner: 市场部\n".encode("gb18030"))
    problem = one_problem()
    assert (problem.file, problem.line) == ("definitions/segments/dormant.yml", 2)
    assert "UTF-8" in problem.what


def test_an_empty_file(company: Company, one_problem: Only) -> None:
    company.write("segments/empty.yml", "# nothing yet\n")
    problem = one_problem()
    assert (problem.line, problem.what) == (1, "The file must have keys of its own, not nothing.")


@pytest.mark.requirement("R111")
def test_the_same_sentence_in_chinese(company: Company, one_problem: Only) -> None:
    company.speak("zh_CN")
    company.spoil("campaigns/winback", "segment: dormant", "segment: dormat")
    assert str(one_problem()) == "definitions/campaigns/winback.yml:12: 没有名为 dormat 的人群。 是不是想写 dormant？"


@pytest.mark.requirement("R111")
def test_no_english_is_left_in_chinese_sentences(company: Company) -> None:
    """Every planted error, in Chinese: what is not a name of a key or value is Chinese."""
    company.speak("zh_CN")
    for key, old, new, *_ in PLANTED:
        company.spoil(key, old, new)
        for problem in company.problems():
            assert any("一" <= letter <= "鿿" for letter in problem.what), problem
            assert any("一" <= letter <= "鿿" for letter in problem.instead), problem
        company.spoil(key, old, old)


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ('[company]\nname = "x"\nlanguage = "en"\nzone = "Asia/Shangai"\n', 4, "Asia/Shangai is not a time zone"),
        ('[company]\nname = "x"\nlanguage = "en"\nzoen = "UTC"\n', 4, "company.zoen is not a key here"),
        ('[company]\nlanguage = "en"\n', 1, "company.name is missing"),
        ('[company]\nname = "x"\nlanguage = "en"\n[clock]\nsimulated_on = 21:00\n', 5, "not valid TOML"),
        ('[company]\nname = "x"\nlanguage = "english"\n', 3, "company.language"),
    ],
)
def test_the_settings_file(company: Company, text: str, line: int, what: str) -> None:
    (company.root / "vesper.toml").write_text(text, encoding="utf-8")
    found = [problem for problem in company.problems() if problem.file == "vesper.toml"]
    assert [problem.line for problem in found] == [line]
    assert what in found[0].what


def test_a_folder_without_settings(tmp_path: Path) -> None:
    found = check(tmp_path)
    assert [problem.file for problem in found] == ["vesper.toml"]
    assert str(tmp_path) in found[0].what
