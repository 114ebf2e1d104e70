"""Personas: what they hold, and how many a product has (R29, R30)."""

from pathlib import Path

import pytest

from tests.cli.conftest import Vesper, vesper
from vesper.check import checked
from vesper.load import parse
from vesper.model.persona import Persona

__all__ = ["vesper"]

SETTINGS = '[company]\nname = "一家店"\nlanguage = "{language}"\n'
WHOLE = """\
name: {zh_CN: 研发主管, en: Head of development}
says: 选型测试仪器的研发主管
owner: marketing
product: 示波器
gender: [male, female]
age: {from: 35, to: 44}
income: [年薪 30 万以上]
region: [上海, 江苏]
industry: [仪器仪表]
employee_count: {from: 100}
interests: [高速信号]
url: {kind: page_viewed, contains: /oscilloscopes, within: 90d}
keyword: {kind: [page_viewed, searched], contains: [示波器, 带宽], at_least: 2, within: 6 months}
goals: [{zh_CN: 缩短调试时间, en: Debug faster}]
pains: [预算要三级审批]
members: {attribute: {field: job_title, contains: [研发, R&D]}}
"""


def company(root: Path, personas: int, language: str = "en", product: str = "示波器") -> Path:
    folder = root / "definitions" / "personas"
    folder.mkdir(parents=True, exist_ok=True)
    (root / "vesper.toml").write_text(SETTINGS.format(language=language), encoding="utf-8")
    for number in range(personas):
        text = WHOLE.replace("product: 示波器", f"product: {product}")
        (folder / f"p{product == '示波器':d}_{number}.yml").write_text(text, encoding="utf-8")
    return root


@pytest.mark.requirement("R30")
def test_a_persona_holds_the_fields_of_the_method_and_a_condition() -> None:
    found = parse("personas", "head", WHOLE)
    assert isinstance(found, Persona)
    told = found.model_dump(exclude={"id", "says", "owner", "name", "examples", "members"})
    assert all(told.values())
    assert set(told) == {
        "product", "gender", "age", "income", "region", "industry", "employee_count", "interests", "url", "keyword", "goals", "pains",
    }  # fmt: skip
    assert [goal.of("en") for goal in found.goals] == ["Debug faster"]


@pytest.mark.requirement("R29")
@pytest.mark.parametrize(("personas", "warned"), [(1, 1), (2, 1), (3, 0), (6, 0), (7, 1)])
def test_a_product_with_too_few_or_too_many_personas_is_warned_about_and_usable(
    tmp_path: Path, personas: int, warned: int
) -> None:
    found = checked(company(tmp_path, personas))
    assert (len(found.problems), len(found.warnings)) == (0, warned)
    for warning in found.warnings:
        assert (warning.file, warning.line) == ("definitions/personas/p1_0.yml", 4)
        assert warning.what == f"示波器 has {personas} personas; 3 to 6 are of use."


def test_products_are_counted_apart_and_told_in_chinese(tmp_path: Path) -> None:
    company(tmp_path, 3, "zh_CN")
    found = checked(company(tmp_path, 2, "zh_CN", product="万用表"))
    assert [warning.what for warning in found.warnings] == ["万用表 有 2 个用户画像，3 到 6 个才合用。"]


@pytest.mark.requirement("R29")
def test_the_command_warns_and_goes_on(tmp_path: Path, vesper: Vesper) -> None:
    said = vesper("check", "-w", company(tmp_path, 2))
    assert said.code == 0
    assert "warning: definitions/personas/p1_0.yml:4: 示波器 has 2 personas" in said.err
