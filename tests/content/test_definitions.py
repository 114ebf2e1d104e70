"""The checks of contents, the matrix and the journey map on files: what is wrong with its line, what is missing by name."""

from pathlib import Path

import pytest

from tests.catalogues import translated
from tests.definitions.conftest import GOOD, Company
from vesper.check import check, checked
from vesper.checks.journey_map import GAPS

MATRIX = """\
says: 矩阵
owner: marketing
channels: [email]
rows:
  - id: one
    stages: [prospect, first_purchase]
    bears: [coffee]
    content: winback
  - id: two
    stages: [prospect]
    lacks: [coffee]
    gap: 还没有内容
"""
MAP = """\
says: 旅程图
owner: marketing
four_c:
  - {id: cost, name: 成本}
stages:
  - id: awareness
    stages: [prospect]
    need: 知道
    behaviour: 搜索
    touchpoints:
      - {says: 白皮书, channel: 官网, content: winback}
      - {says: 展会, channel: 展会}
  - id: loyalty
    need: 省心
    behaviour: 复购
    four_c: {cost: [积分]}
"""
TAG = "says: 咖啡\nowner: marketing\nmembers: {bought: {product_code: [p1], within: 30d}}\n"


@pytest.fixture
def company(tmp_path: Path) -> Company:
    made = Company(tmp_path)
    made.write("tags/coffee.yml", TAG)
    made.write("sources/shop_product.yml", PRODUCTS)
    return made


@pytest.mark.requirement("R78")
def test_the_gaps_of_a_matrix_are_told_by_name_and_hold_nothing_up(company: Company) -> None:
    company.write("matrix/main.yml", MATRIX)
    found = checked(company.root)
    assert found.problems == ()
    said = [(warning.line, warning.what) for warning in found.warnings if "matrix" in warning.file]
    assert (9, "The matrix has a gap, two: 还没有内容") in said
    assert (4, "The matrix has nothing for first_purchase without coffee.") in said
    assert (4, "The matrix has nothing for loyal.") in said
    assert not any("for prospect" in what for _line, what in said)


def test_the_gaps_of_a_journey_map_are_told_by_name(company: Company) -> None:
    company.write("journey_map/main.yml", MAP)
    found = checked(company.root)
    assert found.problems == ()
    said = {(warning.line, warning.what) for warning in found.warnings}
    assert said >= {
        (10, "awareness has no key touchpoint."),
        (12, "The touchpoint of awareness has no content: 展会"),
        (6, "awareness says nothing of 成本."),
        (13, "In loyalty the company meets nobody."),
        (5, "No stage of the map stands for the lifecycle stage loyal."),
    }


@pytest.mark.requirement("R79", "R89")
def test_a_variant_that_lets_nobody_leave_is_told_at_its_blocks(company: Company) -> None:
    company.write("content/winback.yml", VARIANT)
    (problem,) = check(company.root)
    assert (problem.file, problem.line) == ("definitions/content/winback.yml", 18)
    assert "no link to unsubscribe" in problem.what
    assert "unsubscribe_url" in problem.instead


@pytest.mark.requirement("R89")
def test_each_part_and_language_needs_a_way_out(company: Company) -> None:
    company.write("content/winback.yml", PARTS)
    assert {(problem.line, problem.what.split(" ")[0]) for problem in check(company.root)} == {(8, "Not"), (12, "The")}


def test_conditions_of_variants_are_checked_like_all_others(company: Company) -> None:
    company.write("content/winback.yml", VARIANT.replace("when: {always: {}}", "when: {tag: {id: coffe}}"))
    assert (16, "There is no tag coffe.") in {(problem.line, problem.what) for problem in check(company.root)}


def test_the_examples_have_nothing_wrong(repository: Path) -> None:
    for example in ("grocer", "instruments"):
        assert check(repository / "examples" / example) == []


@pytest.mark.requirement("R111")
def test_every_sentence_exists_in_chinese(repository: Path) -> None:
    known = translated(repository)
    assert {text for texts in GAPS.values() for text in texts} - known == set()


VARIANT = """\
says: 挽回邮件
owner: marketing
messages:
  zh_CN:
    subject: 好久不见
    markdown: |
      您好，{{ name }}

      {% block end %}
      [退订]({{ unsubscribe_url }})
      {% endblock %}

      {{ unsubscribe_url }}
variants:
  - id: coffee
    when: {always: {}}
    blocks:
      zh_CN:
        end: 再见
"""
PARTS = """\
says: 挽回邮件
owner: marketing
messages:
  zh_CN:
    subject: 好久不见
    markdown: |
      您好 [退订]({{ unsubscribe_url }})
    text: "{% if name %}{{ unsubscribe_url }}{% endif %}"
  en:
    subject: Hello
    html: |
      <p>{{ unsubscribe_url }}</p>
"""
PRODUCTS = """\
says: 商品
owner: data
system: csv
path: "shop_product/{on}.csv"
feeds: product
cadence: {every: once}
late: warn
rows: {min: 1, max: 100}
key: [product_code]
fields:
  product_code: {column: a, type: text, required: true}
"""
assert "content/winback" in GOOD
