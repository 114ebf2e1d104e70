"""The linkage that the identity policy names: the shipped one comes with it, another is there, trained, and fits the table."""

import re
from collections.abc import Callable

import pytest

from tests.definitions.conftest import Company
from vesper.load import definition_set, definition_texts, load_definitions
from vesper.model.linkage import Linkage
from vesper.presets import preset_text
from vesper.problem import DefinitionsInvalid, Problem

POLICY = preset_text("policy", "identity") or ""
CONTACT = preset_text("linkage", "contact") or ""
UNTRAINED = re.sub(r"^model:.*", "", CONTACT, flags=re.MULTILINE | re.DOTALL)
NAMED_ON = len(POLICY.splitlines())
Only = Callable[[], Problem]


def name(company: Company, linkage: str) -> None:
    company.write("policy/identity.yml", POLICY.rstrip() + f" {linkage}\n")


def test_the_shipped_linkage_comes_with_the_policy_that_names_it(company: Company) -> None:
    assert "linkage/contact" not in definition_texts(company.root)
    name(company, "contact")
    assert definition_texts(company.root)["linkage/contact"] == CONTACT
    assert company.problems() == []
    assert load_definitions(company.root).one(Linkage, "contact").id == "contact"


def test_a_linkage_of_the_companys_own_comes_first(company: Company) -> None:
    own = CONTACT.replace("name_conflict: 12000", "name_conflict: 9000")
    company.write("linkage/contact.yml", own)
    name(company, "contact")
    assert definition_texts(company.root)["linkage/contact"] == own
    assert load_definitions(company.root).one(Linkage, "contact").name_conflict == 9000


def test_an_unknown_linkage_is_named_with_the_nearest(company: Company, one_problem: Only) -> None:
    name(company, "contcat")
    found = one_problem()
    assert (found.file, found.line) == ("definitions/policy/identity.yml", NAMED_ON)
    assert (found.what, found.instead) == ("There is no linkage contcat.", "Did you mean contact?")
    company.speak("zh_CN")
    assert one_problem().what == "没有匹配 contcat。"


def test_a_linkage_in_use_is_trained_first(company: Company, one_problem: Only) -> None:
    company.write("linkage/people.yml", UNTRAINED)
    assert company.problems() == [], "a draft that nobody names may be untrained"
    name(company, "people")
    found = one_problem()
    assert (found.file, found.line) == ("definitions/policy/identity.yml", NAMED_ON)
    assert found.what == "The linkage people was never trained, so it has no weights."
    assert found.instead == "Train it first: `vesper train linkage people`."
    company.speak("zh_CN")
    assert one_problem().instead == "请先训练：`vesper train linkage people`。"


def test_a_comparison_that_was_added_after_training(company: Company, one_problem: Only) -> None:
    added = CONTACT.replace("  city: [city]\nblocking", "  city: [city]\n  mail: [email]\nblocking")
    company.write("linkage/contact.yml", added)
    name(company, "contact")
    found = one_problem()
    assert (found.file, found.line) == (
        "definitions/linkage/contact.yml",
        1 + added[: added.index("  mail:")].count("\n"),
    )
    assert found.what == "The comparison mail has no weights in the model."


def test_a_column_that_source_rows_do_not_have(company: Company, one_problem: Only) -> None:
    company.write("linkage/people.yml", CONTACT.replace("company_key", "compny_key"))
    found = one_problem()
    assert (found.file, found.line) == ("definitions/linkage/people.yml", 10)
    assert (found.what, found.instead) == ("core__source_record has no column compny_key.", "Did you mean company_key?")


def test_a_policy_that_comes_into_force_before_its_linkage(company: Company) -> None:
    name(company, "contact")
    texts = {key: text for key, text in definition_texts(company.root).items() if key != "linkage/contact"}
    with pytest.raises(
        DefinitionsInvalid, match=r"The linkage contact is not in force\. Activate linkage/contact first\."
    ):
        definition_set(texts)


def test_a_policy_that_cannot_be_read_brings_no_linkage(company: Company) -> None:
    company.write("policy/identity.yml", POLICY.rstrip() + " contact\nguard: [\n")
    assert "linkage/contact" not in definition_texts(company.root)
    assert company.problems()
