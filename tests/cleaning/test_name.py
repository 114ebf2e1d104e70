"""Keys of people's names: SQL and Python agree, a key is its own key (R9), and what is one name has one key."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cleaning.sql import applied, storable
from vesper.cleaning import name
from vesper.cleaning.script import simplified

CHINESE = st.text("王李陈陳晓曉東东明總总经理先生女士小姐薴乾 　", max_size=6)
ENGLISH = st.builds(
    "{}{} {}{}".format,
    st.sampled_from(["", "Mr. ", "dr ", "MS"]),
    st.text("Aabé’'-", min_size=1, max_size=5),
    st.text("WeiÉ.,", max_size=4),
    st.sampled_from(["", ", PhD", " (Sales)"]),
)
VALUES = st.lists(st.one_of(CHINESE, ENGLISH, st.text(max_size=10)), min_size=1, max_size=40)


@pytest.mark.requirement("R9")
@given(values=VALUES)
@settings(max_examples=40)
def test_sql_and_python_agree_and_a_key_is_its_own_key(values: list[str]) -> None:
    values = storable(values)
    read = [name.read(value) for value in values]
    for value, quick, slow in zip(values, applied(name.quick, values), read, strict=True):
        assert quick in (None, slow), value
    keys = [key for key in read if key]
    assert [name.read(key) for key in keys] == keys


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("王小明", "王小明"),
        ("王 小明", "王小明"),
        ("王　小明", "王小明"),
        ("陳曉東", "陈晓东"),
        ("陳曉東先生", "陈晓东"),
        ("王小明 总经理", "王小明"),
        ("王总", "王"),
        ("李经理", "李"),
        ("王小明（采购）", "王小明"),
        ("（王小明）", "王小明"),
        ("阿卜杜拉·买买提", "阿卜杜拉买买提"),
        ("John Smith", "john smith"),
        ("Mr. John Smith", "john smith"),
        ("Smith, John", "smith john"),  # the order that was written is kept
        ("Dr. José Díaz", "jose diaz"),
        ("Jean-Luc O’Neill", "jean luc oneill"),
        ("ＷＡＮＧ　Ｗｅｉ", "wang wei"),
        ("王小明 Tom", "王小明tom"),
        ("山田 花子", "山田花子"),
        ("😀小明😀", "小明"),
        ("先生", None),
        ("总经理", None),
        ("微信用户", None),
        ("测试", None),
        ("N/A", None),
        ("😀", None),
        ("--", None),
    ],
)
def test_one_name(written: str, key: str | None) -> None:
    assert name.read(written) == key
    assert applied(name.quick, [written])[0] in (None, key)


def test_most_names_need_no_library() -> None:
    plain = ["王伟", "王小明", "欧阳明月", "wang wei", "John Smith"]
    assert applied(name.quick, plain) == ["王伟", "王小明", "欧阳明月", "wang wei", "john smith"]


def test_characters_of_two_steps_are_simplified_at_once() -> None:
    assert [simplified(text) for text in ("薴", "苧", "廣東", "乾隆", "餅乾", "ABC")] == [
        "苎",
        "苎",
        "广东",
        "乾隆",
        "饼干",
        "ABC",
    ]
