"""One cell of a source file: cleaned, then cast to its declared type, as SQL expressions that never raise.

A value that cannot be read becomes NULL, and row_rules.py turns that NULL into a reason. Columns that arrive typed
(Parquet) are cast without looking at text.
What a phone number or a region means is not decided here; identity is.
"""

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import sqlalchemy as sa

from vesper import clock
from vesper.cleaning.moment import of_excel, wall_clock

Family = Literal["text", "integer", "decimal", "float", "date", "instant", "zoned", "flag", "other"]
Cell = sa.ColumnElement[Any]

COLUMN_TYPES: Mapping[str, sa.types.TypeEngine[Any]] = {
    "text": sa.String(),
    "category": sa.String(),
    "integer": sa.Integer(),
    "money": sa.Numeric(12, 2),
    "number": sa.Double(),
    "date": sa.Date(),
    "instant": sa.DateTime(),
    "flag": sa.Boolean(),
}

FAMILIES: Sequence[tuple[Family, str]] = (
    ("date", r"date"),
    ("integer", r"u?(big|small|tiny|huge)?int(?!erval)"),
    ("decimal", r"decimal|numeric"),
    ("float", r"double|float|real|halffloat"),
    ("flag", r"bool"),
    ("text", r"string|large_string|utf8|varchar|text"),
)

BLANKS = " \t\r\n\u3000\u00a0\ufeff"
WIDE = "０１２３４５６７８９．，－＋：／％\u3000"
NARROW = "0123456789.,-+:/% "
CURRENCY = "¥￥$€£元 "
# No backslash in a pattern: whether a dialect doubles it depends on how it was made.
TIDY = "[!-~]([ -~]*[!-~])?"
DIGITS = "[-+]?[0-9]+([.][0-9]+)?"
THOUSANDS = "[-+]?[0-9]{1,3}(,[0-9]{3})+([.][0-9]+)?"
OFFSET = "[0-9]:[0-9]{2}[^ ]* ?(Z|[-+][0-9]{2}(:?[0-9]{2})?)$"
EXCEL = "excel"
EPOCHS: Mapping[str, int] = {"epoch": 1, "epoch_ms": 1000}
"""Formats that count since 1970, and how many make a second."""
EARLIEST, LATEST = dt.date(1900, 1, 1), dt.date(2199, 12, 31)


@dataclass(frozen=True)
class CellType:
    """How one field is read: its declared type, format, words, and the zone of times that name none."""

    kind: str
    zone: str
    format: str | None = None
    true_words: Sequence[str] = ()
    false_words: Sequence[str] = ()
    replaced: Mapping[str, str] = field(default_factory=dict)


def family(type_name: str) -> Family:
    """The family of a pyarrow or SQL type name; a dictionary type counts as its values."""
    name = type_name.lower().removeprefix("dictionary<values=")
    if name.startswith(("timestamp", "datetime")):
        return "zoned" if "tz" in name or "with time zone" in name else "instant"
    return next((found for found, pattern in FAMILIES if re.match(pattern, name)), "other")


NATIVE: Mapping[str, frozenset[Family]] = {
    "text": frozenset({"text", "integer", "decimal", "float"}),
    "category": frozenset({"text", "integer", "decimal", "float"}),
    "integer": frozenset({"integer", "decimal", "float"}),
    "money": frozenset({"integer", "decimal", "float"}),
    "number": frozenset({"integer", "decimal", "float"}),
    "date": frozenset({"date", "instant", "zoned"}),
    "instant": frozenset({"date", "instant", "zoned"}),
    "flag": frozenset({"flag"}),
}


def cleaned(column: Cell, found: Family, cell_type: CellType, null_words: Sequence[str]) -> tuple[Cell, Family]:
    """The cell without blanks and null words, NULL when nothing is left, and the family it has from here on.

    Full-width digits, signs and blanks are folded unless the field is text, which keeps what the source wrote.
    """
    if found in NATIVE[cell_type.kind] and found != "text" and not cell_type.replaced:
        return (sa.func.nullif(column, sa.cast(sa.literal("nan"), sa.Double)) if found == "float" else column), found
    text = column if found == "text" else sa.cast(column, sa.String)
    if cell_type.kind not in ("text", "category"):
        # Folding is slow, and a text of as many bytes as characters has nothing to fold.
        text = sa.case(
            (sa.func.strlen(text) == sa.func.length(text), text), else_=sa.func.translate(text, WIDE, NARROW)
        )
    text = _trimmed(text)
    for word in dict.fromkeys(null_words):
        text = sa.func.nullif(text, word) if word else text
    if cell_type.replaced:
        text = sa.case(dict(cell_type.replaced), value=text, else_=text)
    return text, "text"


def _trimmed(text: Cell) -> Cell:
    """The text without blanks around it, NULL when nothing is left. Most cells are tidy, and to see that is 3x faster."""
    return sa.case((sa.func.regexp_full_match(text, TIDY), text), else_=sa.func.nullif(sa.func.trim(text, BLANKS), ""))


def can_fail(found: Family, cell_type: CellType) -> bool:
    """Whether reading a cell of this family may give no value; a column that already has the type cannot be misread."""
    return cell_type.kind not in ("text", "category") and (found, cell_type.kind) not in {
        ("flag", "flag"),
        ("decimal", "number"),
        ("integer", "number"),
    }


def value(cell: Cell, found: Family, cell_type: CellType) -> Cell:
    """The cleaned cell in its declared type, NULL when it cannot be read."""
    return sa.cast(READERS[cell_type.kind](cell, found, cell_type), COLUMN_TYPES[cell_type.kind])


def _text(cell: Cell, found: Family, cell_type: CellType) -> Cell:
    """Text; a code that came as a float (a spreadsheet's 1001.0) loses its ".0"."""
    if found != "float":
        return cell
    whole = sa.try_cast(cell, sa.BigInteger)
    return sa.case((sa.cast(whole, sa.Double) == cell, sa.cast(whole, sa.String)), else_=sa.cast(cell, sa.String))


def _number_text(cell: Cell) -> Cell:
    """Digits without currency signs at the ends and without thousands commas where they stand right."""
    bare = sa.func.trim(cell, CURRENCY)
    return sa.case(
        (sa.func.regexp_full_match(cell, DIGITS), cell),
        (sa.func.regexp_full_match(bare, THOUSANDS), sa.func.replace(bare, ",", "")),
        else_=bare,
    )


def _integer(cell: Cell, found: Family, cell_type: CellType) -> Cell:
    """A whole number; DuckDB would round 3.7 to 4, so a fraction is refused."""
    if found == "integer":
        return sa.try_cast(cell, sa.Integer)
    number = _number_text(cell) if found == "text" else cell
    whole = sa.try_cast(number, sa.Integer)
    return sa.case((sa.try_cast(number, sa.Double) == whole, whole), else_=sa.null())


def _money(cell: Cell, found: Family, cell_type: CellType) -> Cell:
    """Money with two decimals, rounded half up."""
    return sa.try_cast(_number_text(cell) if found == "text" else cell, sa.Numeric(12, 2))


def _number(cell: Cell, found: Family, cell_type: CellType) -> Cell:
    number = sa.try_cast(_number_text(cell) if found == "text" else cell, sa.Double)
    return number if found in ("integer", "decimal") else sa.case((sa.func.isfinite(number), number), else_=sa.null())


def _plausible(day: Cell) -> Cell:
    """NULL for a year that no company has ("0217", "infinity"): Python cannot even hold some of them."""
    return sa.case((day.between(clock.on(EARLIEST), clock.on(LATEST)), day), else_=sa.null())


def _date(cell: Cell, found: Family, cell_type: CellType) -> Cell:
    if found == "zoned":
        return _plausible(sa.cast(sa.func.timezone(cell_type.zone, cell), sa.Date))
    if found != "text":
        return _plausible(sa.cast(cell, sa.Date))
    if cell_type.format in EPOCHS:
        moment = sa.func.timezone(cell_type.zone, sa.func.timezone("UTC", _of_epoch(cell, cell_type)))
        return _plausible(sa.cast(moment, sa.Date))
    if cell_type.format and cell_type.format != EXCEL:
        return _plausible(sa.cast(sa.func.try_strptime(cell, cell_type.format), sa.Date))
    written = [sa.try_cast(cell, sa.Date), sa.cast(wall_clock(cell), sa.Date)]
    serial = [sa.cast(of_excel(cell), sa.Date)] if cell_type.format == EXCEL else []
    return _plausible(sa.func.coalesce(*serial, *written))


def _of_epoch(cell: Cell, cell_type: CellType) -> Cell:
    """UTC instant of seconds or milliseconds since 1970; NULL outside of the plausible years."""
    unit = EPOCHS[str(cell_type.format)]
    count = sa.try_cast(cell, sa.Numeric(28, 3))
    limits = [int(dt.datetime.combine(day, dt.time(), dt.UTC).timestamp()) for day in (EARLIEST, LATEST)]
    moment = sa.func.make_timestamp(sa.cast(count * (1_000_000 // unit), sa.BigInteger))
    return sa.case((count.between(limits[0] * unit, limits[1] * unit), moment), else_=sa.null())


def _instant(cell: Cell, found: Family, cell_type: CellType) -> Cell:
    """UTC, naive. A time that names its offset is taken at its word; every other one is wall-clock time in the source's
    zone.
    """
    if found == "zoned":
        # By way of the epoch, because `timezone` takes ten times as long and a zoned column is UTC inside.
        return _plausible(sa.func.make_timestamp(sa.func.epoch_us(cell)))
    if found != "text":
        return _plausible(clock.utc_instant(sa.cast(cell, sa.DateTime), cell_type.zone))
    if cell_type.format in EPOCHS:
        return _plausible(_of_epoch(cell, cell_type))
    if cell_type.format and cell_type.format != EXCEL:
        read = sa.func.try_strptime(cell, cell_type.format)
        named = "%z" in cell_type.format.lower()
        return _plausible(sa.func.timezone("UTC", read) if named else clock.utc_instant(read, cell_type.zone))
    # DuckDB's cast to TIMESTAMP drops an offset silently; TIMESTAMPTZ honours it.
    joined = sa.func.replace(sa.func.replace(cell, " -", "-"), " +", "+")
    with_offset = sa.func.timezone("UTC", sa.try_cast(joined, sa.DateTime(timezone=True)))
    serial = [of_excel(cell)] if cell_type.format == EXCEL else []
    read = sa.func.coalesce(*serial, sa.try_cast(cell, sa.DateTime), wall_clock(cell))
    local = clock.utc_instant(read, cell_type.zone)
    return _plausible(sa.case((sa.func.regexp_matches(cell, OFFSET), with_offset), else_=local))


def _flag(cell: Cell, found: Family, cell_type: CellType) -> Cell:
    if found == "flag":
        return cell
    word = sa.func.lower(cell)
    yes = [each.lower() for each in cell_type.true_words]
    no = [each.lower() for each in cell_type.false_words]
    return sa.case((word.in_(yes), sa.true()), (word.in_(no), sa.false()), else_=sa.null())


READERS: Mapping[str, Callable[[Cell, Family, CellType], Cell]] = {
    "text": _text,
    "category": _text,
    "integer": _integer,
    "money": _money,
    "number": _number,
    "date": _date,
    "instant": _instant,
    "flag": _flag,
}
