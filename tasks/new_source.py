"""`vesper new source --from FILE`: a definition drafted from a file, with a comment wherever a person has to decide.

What belongs here: which column feeds which field, the key, the text of the draft. What does not: what a column looks like (column_profile.py).
The draft passes `vesper check`; it holds no value of a row but the words of flags and of a few harmless categories.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from connectors.sources import FILE, SOURCE_ROW, SourceUnreadable, first_rows, told_encoding
from tasks.column_profile import Looks, flag_words, looks
from tasks.sql import Unanswered
from vesper.language import Translate, translator
from vesper.load import read_workspace
from vesper.model.feed import CANONICAL, OPEN_FEEDS, RESERVED
from vesper.nearest import suggestion

SAMPLE = 20_000
SYSTEMS = {
    ".csv": "csv", ".txt": "csv", ".xlsx": "excel", ".xlsm": "excel", ".xls": "excel", ".jsonl": "jsonl", ".ndjson": "jsonl",
    ".parquet": "parquet",
}  # fmt: skip
ID = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)+")
PLAIN = re.compile(r"(?!(?:yes|no|on|off|true|false|null|y|n)$)[A-Za-z\u4e00-\u9fff][\w\u4e00-\u9fff]*", re.IGNORECASE)
CATEGORIES = ("consent_text", "industry", "kind")
KEYS = ("member_id", "crm_id", "unionid", "openid", "card", "phone", "email", "account_id", "event_id")


@dataclass(frozen=True)
class Mapped:
    """A field of the draft, the column it comes from, and its type."""

    name: str
    looks: Looks
    type: str


def new_source(root: Path, id: str, file: Path, feeds: str | None = None) -> Path:
    """Draft definitions/sources/<id>.yml from a file; returns its path.

    Args:
        feeds: what the rows become; told from the columns where it is missing.

    Raises:
        Unanswered: one sentence, for an id that is taken or malformed, or a file that cannot be read.
    """
    workspace = read_workspace(Path(root).resolve())
    _ = translator(workspace.company.language)
    path = workspace.root / "definitions" / "sources" / f"{id}.yml"
    if not ID.fullmatch(id):
        raise Unanswered(_("{word} does not name a source; write <system>_<noun>, e.g. crm_member.").format(word=id))
    if path.exists():
        raise Unanswered(_("There is a source {word} already; give another name, or edit it.").format(word=id))
    text = draft(id, file, workspace.notices.owner, feeds, _)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def draft(id: str, file: Path, owner: str, feeds: str | None = None, _: Translate = str) -> str:
    """The text of a definition for files like this one. Raises Unanswered."""
    system = SYSTEMS.get(file.suffix.lower())
    if system is None:
        known = ", ".join(SYSTEMS)
        raise Unanswered(
            _("{file} is of no kind that is read; it ends in one of {known}.").format(file=file.name, known=known)
        )
    if feeds is not None and feeds not in CANONICAL:
        raise Unanswered(
            _("{word} is nothing that a source may feed.").format(word=feeds) + " " + suggestion(feeds, CANONICAL, _)
        )
    try:
        rows = first_rows(file, system, SAMPLE)
    except SourceUnreadable as error:
        raise Unanswered(error.said(_)) from None
    columns = [looks(name, _texts(rows[name])) for name in rows.column_names if name not in (SOURCE_ROW, FILE)]
    feed = feeds or _feed(columns)
    mapped = _mapped(columns, feed)
    lacking = [
        name for name, field in CANONICAL[feed].items() if field.needed and name not in {one.name for one in mapped}
    ]
    if lacking:
        message = _(
            "{file} has no column that looks like {fields}, which {feed} needs; draft it as other, or rename columns."
        )
        raise Unanswered(message.format(file=file.name, fields=", ".join(lacking), feed=feed))
    if not mapped:
        raise Unanswered(
            _("{file} has no column with a value, so nothing can be drafted from it.").format(file=file.name)
        )
    return "".join(f"{line}\n" for line in _lines(id, file, system, owner, feed, mapped, columns, rows.num_rows, _))


def _texts(column: pa.ChunkedArray) -> list[str | None]:
    return [None if cell is None else str(cell) for cell in column.to_pylist()]


def _feed(columns: Sequence[Looks]) -> str:
    """Order lines where everything that they need is there; contacts where a person can be told; else rows for analysts."""
    named = {one.named for one in columns}
    needed = {name for name, field in CANONICAL["order_line"].items() if field.needed}
    if needed <= named:
        return "order_line"
    people = {"name", "phone", "email", "unionid", "openid"}
    return "contact" if people & named or {one.kind for one in columns} & {"phone", "email"} else "other"


def _mapped(columns: Sequence[Looks], feed: str) -> list[Mapped]:
    """Fields by headers first, then phones, mail addresses and regions by their values; a field is given once."""
    if feed in OPEN_FEEDS:
        return [
            Mapped(_own_name(one, place), one, _type(one, ("text", "flag", "date", "instant", "money", "integer")))
            for place, one in enumerate(columns, start=1)
            if one.filled
        ]
    canonical = CANONICAL[feed]
    found: dict[str, Mapped] = {}
    by_kind = [
        replace(one, named=one.kind)
        for one in columns
        if one.named is None and one.kind in ("phone", "email", "region")
    ]
    for one in [*columns, *by_kind]:
        name = one.named
        if name in canonical and name not in found and one.filled:
            type = _type(one, canonical[name].types)
            if type:
                found[str(name)] = Mapped(str(name), one, type)
    return [found[name] for name in canonical if name in found]


def _own_name(one: Looks, place: int) -> str:
    name = re.sub(r"[^a-z0-9]+", "_", one.column.lower()).strip("_")
    return name if re.match(r"[a-z]", name) and name not in RESERVED else f"column_{place}"


def _type(one: Looks, allowed: Sequence[str]) -> str:
    """The type of a field that takes these ones, by what its values are; empty where they do not fit."""
    if one.kind == "moment":
        wanted = ["instant", "date"] if _is_instant(one) else ["date", "instant"]
    else:
        wanted = {"flag": ["flag"], "integer": ["integer", "money"], "money": ["money"]}.get(one.kind, [])
    if "category" in allowed and one.named in CATEGORIES and one.words:
        return "category"
    return next((type for type in [*wanted, "text"] if type in allowed), "")


def _is_instant(one: Looks) -> bool:
    return one.has_clock or one.format in ("epoch", "epoch_ms") or "%H" in (one.format or "")


def _key(mapped: Sequence[Mapped], feed: str) -> list[Mapped]:
    """What tells rows apart: the order's line, else the first usual key without a gap or a repetition, else the best there is."""
    by_name = {one.name: one for one in mapped}
    if feed == "order_line":
        return [by_name["order_id"], by_name["product_code"]]
    usual = [by_name[name] for name in KEYS if name in by_name] or list(mapped)
    whole = [one for one in [*usual, *mapped] if one.looks.is_key]
    best = sorted(usual, key=lambda one: (one.looks.filled != one.looks.rows, -one.looks.distinct))
    return [(whole or best)[0]]


def _lines(
    id: str,
    file: Path,
    system: str,
    owner: str,
    feed: str,
    mapped: Sequence[Mapped],
    columns: Sequence[Looks],
    rows: int,
    _: Translate,
) -> Iterator[str]:
    key = _key(mapped, feed)
    nulls = list(dict.fromkeys(word for one in columns for word in one.null_words))
    called = "".join(char if char.isprintable() else "?" for char in file.name)
    yield _("# Drafted from {file} ({rows} rows looked at). Each comment is a question: answer it and drop it.").format(
        file=called, rows=rows
    )
    yield f"says: {_quoted(_('Rows of {file}; say in one sentence what they are.').format(file=called))}"
    yield f"owner: {_quoted(owner)}    " + _("# who answers for the source?")
    yield f"system: {system}"
    yield f'path: "{id}/{{on}}{file.suffix.lower()}"    ' + _(
        "# deliver each day's file below .vesper/landing under this name"
    )
    yield from [f"encoding: {told_encoding(file)}"] if system in ("csv", "jsonl") else []
    yield f"feeds: {feed}"
    yield from ["event_kind: happened    " + _("# which kind of event?")] if feed == "event" else []
    yield "cadence: {every: irregular}    " + _('# a file each day? then {every: day, due: "06:00"}')
    yield "late: warn    " + _("# does a missing file stop the night? then block")
    yield f"rows: {{min: 1, max: {max(1000, 10 * rows)}, drop_ratio: 0}}"
    yield "trust: 50    " + _("# more than other sources, or less?")
    yield f"key: [{', '.join(one.name for one in key)}]" + _key_doubt(key, _)
    yield f"null_words: [{', '.join(_quoted(word) for word in ['', *nulls])}]"
    yield "fields:"
    for one in mapped:
        yield f"  {one.name}: {{{', '.join(_field(one, one in key))}}}{_doubt(one, _)}"
    taken = {one.looks.column for one in mapped}
    for column in [one for one in columns if one.column not in taken]:
        yield "  " + _("# not taken in: {column}").format(column=_quoted(column.column)) + _why_not(column, _)


def _field(one: Mapped, is_key: bool) -> Iterator[str]:
    yield f"column: {_quoted(one.looks.column)}"
    yield f"type: {one.type}"
    if is_key or (
        one.looks.rows and one.looks.filled == one.looks.rows and one.name in ("registered_at", "ordered_at", "at")
    ):
        yield "required: true"
    if one.looks.format and one.type in ("date", "instant"):
        yield f"format: {_quoted(one.looks.format)}"
    pair = flag_words(one.looks.words) if one.type == "flag" else None
    if pair:
        yield f"true_words: [{_quoted(pair[0])}], false_words: [{_quoted(pair[1])}]"
    if one.type == "category":
        yield f"allowed: [{', '.join(_quoted(word) for word in one.looks.words)}], unknown: quarantine"


def _key_doubt(key: Sequence[Mapped], _: Translate) -> str:
    if len(key) > 1 or key[0].looks.is_key:
        return ""
    found = key[0].looks
    doubt = _("# is this the key? {filled} of {rows} rows have it, {distinct} different ones")
    return "    " + doubt.format(filled=found.filled, rows=found.rows, distinct=found.distinct)


def _why_not(column: Looks, _: Translate) -> str:
    if column.kind == "empty":
        return _(" (empty)")
    if column.kind == "unclear":
        return _(' (a date; is its format "%d/%m/%Y" or "%m/%d/%Y"?)')
    return ""


def _doubt(one: Mapped, _: Translate) -> str:
    if one.looks.named == one.looks.kind and one.name in ("phone", "email", "region"):
        return "    " + _("# told by its values: is it the right one?")
    return ""


def _quoted(text: str) -> str:
    """A text as YAML reads it back, also inside of brackets."""
    return text if PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)
