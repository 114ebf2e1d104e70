"""Masks: the plain function and the SQL expression give the same text, and neither gives the value away."""

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from tests.measure.shop import Shop
from vesper import privacy

PAIRS = [
    (privacy.mask_name, privacy.masked_name),
    (privacy.mask_phone, privacy.masked_phone),
    (privacy.mask_email, privacy.masked_email),
]
TEXT = st.text(
    alphabet=st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Mn", "Me", "Mc", "Cf", "Sk", "Lm")),
    max_size=20,
)


@pytest.mark.requirement("R122")
@pytest.mark.parametrize(
    ("value", "mask", "shown"),
    [
        ("王小明", privacy.mask_name, "王**"),
        ("欧阳", privacy.mask_name, "欧**"),
        ("+8613812345678", privacy.mask_phone, "+86*****78"),
        ("12345", privacy.mask_phone, "*****"),
        ("ming@qq.com", privacy.mask_email, "m**@q**"),
        ("no address", privacy.mask_email, "n**"),
        ("", privacy.mask_name, None),
        (None, privacy.mask_phone, None),
    ],
)
def test_masks(value, mask, shown) -> None:  # type: ignore[no-untyped-def]
    assert mask(value) == shown


@pytest.mark.requirement("R122")
@given(value=TEXT | st.emails() | st.from_regex(r"\+86[0-9]{0,11}", fullmatch=True) | st.none())
def test_sql_masks_as_python_does(lasting: Shop, value: str | None) -> None:
    given_value = sa.cast(sa.literal(value), sa.String)
    [row] = lasting.rows(
        sa.select(*[expression(given_value).label(f"m{n}") for n, (_, expression) in enumerate(PAIRS)])
    )
    assert list(row) == [function(value) for function, _ in PAIRS]


@pytest.mark.requirement("R122")
@given(name=st.text("王李张刘陈杨黄赵周吴小明雷梅", min_size=2, max_size=4))
def test_a_masked_name_does_not_tell_its_length(name: str) -> None:
    assert privacy.mask_name(name) == privacy.mask_name(name + "明")
