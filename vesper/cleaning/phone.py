"""Phone numbers: E.164, and a judgement for every value that is not one (R7).

Two ways to the same answer: `quick` is SQL and reads nearly every number as people write it; `read` is Python and takes apart what is left, a cell
at a time: extensions, two numbers in a cell, notes, other countries. The numbering plan is that of the phonenumbers package, read once. A number
without a country code is Chinese; nothing is guessed at: 1.38E+10 has lost its digits, and 138****8000 never had them.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Literal, NamedTuple

import sqlalchemy as sa

from vesper.cleaning.text import folded, narrow

Status = Literal["valid", "missing", "invalid", "dummy"]

COUNTRY = "86"
# Eight equal digits or a row of the keyboard at the end, or the number that stands in every advertisement.
DUMMY = f"^.*(?:{'|'.join(f'{digit}{{8}}' for digit in '0123456789')}|12345678)$|^(?:13800138000|12345678901|13123456789|1234567890)$"
NATIONAL = f"^(?:(?:[+]|00){COUNTRY})?0?([1-9][0-9]+)$"
# A bare 86 may begin a number, so it is the country only before ten or eleven digits more.
BARE_COUNTRY = f"^{COUNTRY}0?([1-9][0-9]{{9,10}})$"

# 212-555-0100 is how an American writes a number; without its country it reads like one of Shanghai (021 2555 0100), so it is neither.
SERVICE = ("400", "800")
AMERICAN = "[(]?[2-9][0-9]{2}[)]?[ .-]{0,2}[0-9]{3}[ .-][0-9]{4}"

_SPLIT = re.compile(r"[/、,;|\\&\r\n]|和|或|及|\bor\b|\band\b")
_LABEL = re.compile(
    r"^(?:(?:手机|移动电话|联系电话|联系方式|电话|座机|固话|办公|公司|微信|号码|号)+|tel(?:ephone)?|mobile|mob|phone|cell)[\s.:：]*"
)
_NOTE = re.compile(r"[(\[][^0-9()\[\]+]*[)\]]")
_EXTENSION = re.compile(
    r"[\s,.-]*(?:转|轉|分机号?|分機號?|内线|內線|extension|ext|x|#)[\s.:：]*(?:\d{1,6}\D{0,2}|\D*)$"
)
_DASHED = re.compile(r"(.*\d\)?)\s*-\s*(\d{1,6})")
_FLOAT = re.compile(r"(\d{7,15})\.0+")
_DOT = re.compile(r"(?<=\d{3})\.(?=\d{3})|(?<=^86)\.(?=\d{3})")
_NATIONAL, _BARE_COUNTRY, _DUMMY = re.compile(NATIONAL), re.compile(BARE_COUNTRY), re.compile(DUMMY)
_AMERICAN = re.compile(AMERICAN)


class Phone(NamedTuple):
    """What a cell says: its first usable number, its second one, and how it was judged."""

    number: str | None
    other: str | None
    status: Status


Verdict = tuple[str | None, Status]
UNUSABLE: Verdict = (None, "invalid")


@cache
def numbering_plan() -> str:
    """The pattern of a Chinese mobile or fixed-line national number, without leading zero."""
    return "|".join(_patterns("mobile", "fixed_line"))


@cache
def mobile_plan() -> str:
    """The pattern of a Chinese mobile number."""
    return "|".join(_patterns("mobile"))


@cache
def _every_plan() -> re.Pattern[str]:
    """The same with 400 and 800 numbers: good for a call, never one person's."""
    return re.compile("|".join(_patterns("mobile", "fixed_line", "toll_free", "shared_cost")))


def _patterns(*kinds: str) -> list[str]:
    from phonenumbers import PhoneMetadata

    metadata = PhoneMetadata.metadata_for_region("CN")
    found = [getattr(getattr(metadata, kind, None), "national_number_pattern", None) for kind in kinds]
    if not all(found):
        raise LookupError(
            "phonenumbers has no numbering plan for China; install the version that requirements.lock pins"
        )
    return [f"(?:{pattern})".replace("\\d", "[0-9]") for pattern in found]


# SQL


def quick(value: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """The E.164 form of a Chinese mobile or fixed-line number that is written in a common way; NULL of anything else, which `read` decides."""
    # Folding is slow, and a text of as many bytes as characters has nothing to fold.
    narrowed = sa.case((sa.func.strlen(value) == sa.func.length(value), value), else_=narrow(value))
    # One step inside the other, because the engine would take each as often as it is named.
    bare = sa.func.regexp_replace(narrowed, "[ \t()-]+", "", "g")
    national = sa.func.regexp_replace(sa.func.regexp_extract(bare, NATIONAL, 1), BARE_COUNTRY, r"\1")
    known = sa.func.regexp_extract(national, f"^(?:{numbering_plan()})$")
    chosen = sa.case(
        (sa.func.regexp_full_match(value, mobile_plan()), value),
        (sa.func.regexp_full_match(narrowed, AMERICAN), ""),
        else_=known,
    )
    return sa.literal(f"+{COUNTRY}") + sa.func.nullif(sa.func.regexp_replace(chosen, DUMMY, ""), "")


def is_personal(number: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Whether an E.164 number may be one person's: a Chinese mobile, or a number abroad. Landlines, switchboards, 400 and 800 never are."""
    return sa.or_(
        sa.not_(number.startswith(f"+{COUNTRY}")), sa.func.regexp_full_match(number, f"[+]{COUNTRY}(?:{mobile_plan()})")
    )


# Python, for distinct values that SQL left over


def read(text: str) -> Phone:
    """What a cell says, however it is written."""
    cell = folded(text).lower()
    if not cell:
        return Phone(None, None, "missing")
    judged = [verdict for part in _SPLIT.split(cell) for verdict in _part(part)]
    numbers = list(dict.fromkeys(number for number, status in judged if number and status == "valid"))
    if numbers:
        return Phone(numbers[0], numbers[1] if len(numbers) > 1 else None, "valid")
    return Phone(None, None, "dummy" if any(status == "dummy" for _, status in judged) else "invalid")


def _part(part: str) -> Iterator[Verdict]:
    """The numbers of one part of a cell: usually one, two where only a blank stands between them."""
    bare = _LABEL.sub("", _NOTE.sub(" ", part).strip())
    for written in dict.fromkeys((bare, _EXTENSION.sub("", bare))):
        verdict = _judged(written)
        if verdict != UNUSABLE:
            yield verdict
            return
    dashed = _DASHED.fullmatch(bare)
    head = _judged(dashed[1]) if dashed else UNUSABLE
    yield from _two(bare) if head == UNUSABLE else [head]


def _two(written: str) -> Iterator[Verdict]:
    """Two whole numbers with nothing but blanks or dashes between them; none where there is more than one way to cut, or no way."""
    cuts = [match.span() for match in re.finditer(r"[\s-]+", written)]
    pairs = [(_judged(written[:start]), _judged(written[end:])) for start, end in cuts]
    whole = [pair for pair in pairs if pair[0][1] == pair[1][1] == "valid"]
    yield from whole[0] if len(whole) == 1 else [UNUSABLE]


def _judged(written: str) -> Verdict:
    """One number: its E.164 form where it is one."""
    undone = _FLOAT.fullmatch(written)
    bare = re.sub(r"[\s()-]", "", _DOT.sub("", undone[1] if undone else written))
    if not re.fullmatch(r"\+?[0-9]+", bare) or (_AMERICAN.fullmatch(written) and not bare.startswith(SERVICE)):
        return UNUSABLE
    if _DUMMY.match(bare):
        return None, "dummy"
    if bare.startswith(("+", "00")) and not bare.startswith((f"+{COUNTRY}", f"00{COUNTRY}")):
        return _abroad("+" + bare.removeprefix("+").removeprefix("00"))
    found = _NATIONAL.match(bare)
    return _chinese(_BARE_COUNTRY.sub(r"\1", found[1])) if found else UNUSABLE


def _chinese(national: str) -> Verdict:
    if _DUMMY.match(national):
        return None, "dummy"
    return (f"+{COUNTRY}{national}", "valid") if _every_plan().fullmatch(national) else UNUSABLE


def _abroad(number: str) -> Verdict:
    from phonenumbers import NumberParseException, PhoneNumberFormat, format_number, is_valid_number, parse

    try:
        parsed = parse(number, None)
    except NumberParseException:
        return UNUSABLE
    return (format_number(parsed, PhoneNumberFormat.E164), "valid") if is_valid_number(parsed) else UNUSABLE
