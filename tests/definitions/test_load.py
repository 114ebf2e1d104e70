"""Loading: presets, policies a company lacks, hashes, and sets made from texts that were kept elsewhere."""

import hashlib
from pathlib import Path

import pytest

from tests.definitions.conftest import RULE, SEGMENT, Company
from vesper.load import definition_set, definition_texts, load_definitions, parse, read_workspace
from vesper.model.lifecycle import Lifecycle
from vesper.model.policy import FrequencyPolicy, ScoringPolicy
from vesper.model.scoring import ScoringRule
from vesper.model.segment import Segment
from vesper.problem import DefinitionsInvalid


@pytest.mark.requirement("R40")
def test_a_lifecycle_takes_the_stages_of_its_preset(company: Company) -> None:
    lifecycles = load_definitions(company.root).of(Lifecycle)
    assert list(lifecycles) == ["main"]
    stages = lifecycles["main"].stages or ()
    assert [stage.id for stage in stages] == ["at_risk", "loyal", "repurchase", "first_purchase", "prospect"]
    assert stages[-1].when.word == "always"
    assert lifecycles["main"].examples


def test_the_text_of_a_preset_is_kept_beside_the_file_that_names_it(company: Company) -> None:
    texts = definition_texts(company.root)
    assert {"lifecycle/main", "lifecycle/preset_a"} <= texts.keys()


@pytest.mark.requirement("R86", "R87")
def test_a_company_without_policies_takes_those_that_ship(company: Company) -> None:
    caps = load_definitions(company.root).one(FrequencyPolicy, "frequency").caps
    assert (caps["all_channels"].touches, caps["all_channels"].within.timedelta.total_seconds()) == (2, 24 * 3600)
    assert caps["all_channels"].channel is None
    prospects = caps["prospect_mail"]
    assert (prospects.touches, prospects.within.days, prospects.stages, prospects.channel) == (
        2,
        7,
        ("prospect", "awareness", "new"),
        "email",
    )


def test_a_policy_of_its_own_comes_first(company: Company) -> None:
    assert load_definitions(company.root).one(ScoringPolicy, "scoring").mql_at == 80
    company.write("policy/scoring.yml", "says: 标尺\nowner: marketing\nmql_at: 90\n")
    assert load_definitions(company.root).one(ScoringPolicy, "scoring").mql_at == 90


@pytest.mark.requirement("R20")
def test_a_changed_text_is_another_version(company: Company) -> None:
    before = load_definitions(company.root)
    company.write("segments/dormant.yml", SEGMENT.replace("90", "60"))
    after = load_definitions(company.root)
    changed = {key for key in after.hashes if before.hashes[key] != after.hashes[key]}
    assert changed == {"segments/dormant"}
    assert before.fingerprint != after.fingerprint
    text = (company.root / "definitions/segments/dormant.yml").read_bytes()
    assert after.hashes["segments/dormant"] == hashlib.sha256(text).hexdigest()


def test_a_set_from_texts_equals_the_one_from_files(company: Company) -> None:
    texts = definition_texts(company.root)
    assert definition_set(texts) == load_definitions(company.root)


def test_a_set_is_all_or_nothing(company: Company) -> None:
    texts = {**definition_texts(company.root), "segments/other": SEGMENT.replace("owner", "ownr")}
    with pytest.raises(DefinitionsInvalid) as raised:
        definition_set(texts)
    assert {problem.file for problem in raised.value.problems} == {"definitions/segments/other.yml"}
    assert str(raised.value).startswith("definitions/segments/other.yml:1: owner is missing.")


def test_one_text_by_itself() -> None:
    segment = parse("segments", "dormant_90d", SEGMENT)
    assert isinstance(segment, Segment)
    assert (segment.id, segment.says, segment.members.body.at_least_days_ago) == ("dormant_90d", "沉睡", 90)
    with pytest.raises(LookupError, match="segmnets/x is no kind of definition"):
        parse("segmnets", "x", SEGMENT)


def test_adding_a_rule_touches_one_file(company: Company) -> None:
    before = sorted(company.root.rglob("*"))
    company.write("scoring/new_rule.yml", RULE)
    assert len(sorted(company.root.rglob("*"))) == len(before) + 1
    assert list(load_definitions(company.root).of(ScoringRule)) == ["new_rule", "two_orders"]


def test_settings_of_a_folder_that_is_no_workspace(tmp_path: Path) -> None:
    with pytest.raises(DefinitionsInvalid, match=r"There is no vesper\.toml"):
        read_workspace(tmp_path)


def test_words_for_people_in_two_languages() -> None:
    rule = parse("scoring", "x", RULE.replace("says: 一周两单", "name: {zh_CN: 两单, en: Two orders}\nsays: 一周两单"))
    assert (rule.title("en"), rule.title("zh_CN"), rule.says.of("en")) == ("Two orders", "两单", "一周两单")
    assert parse("scoring", "two_orders", RULE).title("en") == "two_orders"


def test_a_simulated_clock_and_production_exclude_each_other(tmp_path: Path) -> None:
    (tmp_path / "vesper.toml").write_text(
        'production = true\n[company]\nname = "x"\n[clock]\nmode = "simulated"\nsimulated_on = 2018-01-01\n',
        encoding="utf-8",
    )
    with pytest.raises(DefinitionsInvalid, match="simulated night must never reach a person"):
        read_workspace(tmp_path)
