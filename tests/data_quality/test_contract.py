"""The shape of a file against its source's definition."""

from typing import Any

import pytest
from pydantic import ValidationError

from data_quality.contract import check_structure, nearest
from vesper.language import translator
from vesper.model.source import Source


def test_a_file_of_the_declared_columns_has_no_findings(source: Any) -> None:
    assert check_structure(source(), ["电话", "会员号", "注册时间"], 3).findings == ()


@pytest.mark.requirement("R2")
def test_a_renamed_required_column_is_critical_and_names_source_file_column_and_the_nearest(source: Any) -> None:
    found = check_structure(source(), ["会员编号", "电话", "注册时间"], 40, file="2017-06-01.csv")
    assert (found.missing, found.unknown) == (("会员号",), ("会员编号",))
    (critical,) = found.critical
    for word in ("crm_member", "2017-06-01.csv", "40", "会员号", "会员编号"):
        assert word in critical.sentence


@pytest.mark.requirement("R2")
@pytest.mark.parametrize("part", ["fields", "cadence", "late", "rows", "key", "path", "feeds", "owner"])
def test_a_source_without_a_part_of_its_contract_is_no_source(source: Any, part: str) -> None:
    declared = {name: value for name, value in source().model_dump().items() if name != part}
    with pytest.raises(ValidationError, match=part):
        Source.model_validate(declared)


@pytest.mark.requirement("R2")
def test_a_missing_optional_column_is_critical_where_a_header_is_fixed(source: Any) -> None:
    """A renamed phone column would empty the phone of everybody in the file."""
    found = check_structure(source(system="csv"), ["会员号", "注册时间"], 40)
    assert [(each.rule, each.severity) for each in found.findings] == [("column:电话", "critical")]


def test_absent_keys_of_json_lines_and_undeclared_columns_are_warnings(source: Any) -> None:
    found = check_structure(source(system="jsonl"), ["会员号", "注册时间", "积分"], 40)
    assert [(each.rule, each.severity) for each in found.findings] == [
        ("column:电话", "warning"),
        ("column:积分", "warning"),
    ]


def test_a_column_that_feeds_two_fields_is_required_when_one_of_them_is(source: Any) -> None:
    fields = {
        "card": {"column": "卡号", "type": "text"},
        "member_id": {"column": "卡号", "type": "text", "required": True},
    }
    assert len(check_structure(source(fields=fields), ["电话"], 1).critical) == 1


@pytest.mark.requirement("R111")
def test_the_sentence_is_chinese_where_the_company_is(source: Any) -> None:
    (sentence,) = check_structure(source(), ["会员号", "电话"], 4, file="a.csv", _=translator("zh_CN")).sentences
    assert "缺少" in sentence and "注册时间" in sentence


@pytest.mark.parametrize(
    ("column", "others", "expected"),
    [
        ("basket_id", ["BasketID", "store"], "BasketID"),
        ("手机", ["手机号码", "姓名"], "手机号码"),
        ("姓名", ["amount"], ""),
        ("姓名", [], ""),
    ],
)
def test_the_nearest_column(column: str, others: list[str], expected: str) -> None:
    assert nearest(column, others) == expected
