"""Which rows of which tables speak of a person, and what is left of them when the person is erased.

What belongs here: the person's marks, and of any table the rows that go and the values that are emptied, as expressions. What does not: files,
the ledger, the order of things (`tasks/erase.py`), and recognising the person later (`vesper/erased.py`).

Two rules (docs/decisions/0015): what describes or addresses the person goes, row and all; an order, and an event whose contract can do
without a person, stays without them, because the company's sums must still be what they were.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from vesper.model.source import Source
from vesper.tables.raw import raw_name

Texts = Mapping[str, sa.ColumnElement[Any]]

CONTACT_COLUMNS = ("contact_id", "other_id", "old_id")
ID_COLUMNS = ("card", "unionid", "openid", "crm_id")
ADDRESS_COLUMNS = {"phone": "phone", "other_phone": "phone", "email": "email", "email_key": "email"}
NAMED_BY_SYSTEM = ("crm_id", "openid")
LISTS = ("merged_ids", "merged_into")
PERSONAL = ("name", "phone", "email")
LEDGER_COPIES = frozenset({"out__message", "out__refusal", "out__handover"})
QUARANTINE = "dq__quarantine"
PHONE_DIGITS = 10
LONG = 8


@dataclass(frozen=True)
class Person:
    """Everything by which files may speak of one person. Personal: it lives in memory, and in one file while an erasure is under way.

    `contact_ids` are the contact's id and its former ones, `records` the (source, record_key) of its rows, `own` the (column, cleaned
    value) of identifiers that no other contact shares, `set_aside` the (source, file:row) of its rows in quarantine. `tokens` gives what
    stands for a contact's id in copies of the ledger, `token` what stands where a contract wants a value.
    """

    contact_ids: tuple[str, ...] = ()
    records: tuple[tuple[str, str], ...] = ()
    own: tuple[tuple[str, str], ...] = ()
    set_aside: tuple[tuple[str, str], ...] = ()
    message_ids: tuple[str, ...] = ()
    tokens: Mapping[str, str] = field(default_factory=dict)
    token: str = ""

    @property
    def names(self) -> list[str]:
        """The records as identity names them."""
        return [f"{source}:{key}" for source, key in self.records]

    def keys(self, source: str) -> list[str]:
        return [key for name, key in self.records if name == source]

    def values(self, *columns: str) -> list[str]:
        return sorted({value for column, value in self.own if column in columns})


@dataclass(frozen=True)
class Cut:
    """What becomes of a table: rows of `gone` go, `changed` gives columns another value; `touched` are the rows of either kind."""

    gone: sa.ColumnElement[bool]
    changed: Mapping[str, sa.ColumnElement[Any]]
    touched: sa.ColumnElement[bool]


# rows as a source states them -----------------------------------------------------------------------------------------


def speaks_of(person: Person, source: Source, texts: Texts) -> sa.ColumnElement[bool]:
    """Whether a row of a source is about the person. `texts` are its canonical fields, as text, whether from the lake, a file or JSON."""
    found = [_has_key(person, source, texts), *[_is_own(person, source, name, text) for name, text in texts.items()]]
    if str(source.feeds) == "other":
        found += [_is_address(person, kind, text) for text in texts.values() for kind in ("email", "phone")]
    return _any(found)


def cut_of_rows(table: sa.FromClause, person: Person, source: Source) -> Cut:
    """What becomes of rows as a source states them; `table` has its canonical fields as columns.

    Of a contact source the person's rows are those of their keys; in a row of somebody else an identifier of the person is emptied.
    """
    texts = {name: sa.cast(table.c[name], sa.String) for name in source.fields if name in table.c}
    stays = {name: may for name, may in stays_without(source).items() if name in table.c}
    if source.feeds == "contact":
        naming = {name: text for name, text in texts.items() if name in (*ID_COLUMNS, *ADDRESS_COLUMNS)}
        own = {
            name: (_is_own(person, source, name, text), _or_token(person, source, name))
            for name, text in naming.items()
        }
        return _cut(table, [_has_key(person, source, texts)], own)
    mine = speaks_of(person, source, texts)
    if not stays:
        return _cut(table, [mine], {})
    personal = [name for name in PERSONAL if name in table.c]
    return _cut(
        table, [], {name: (mine, _or_token(person, source, name)) for name in dict.fromkeys([*stays, *personal])}
    )


def _or_token(person: Person, source: Source, name: str) -> str | None:
    """What an identifier becomes: nothing, or the token where the contract wants a value."""
    return person.token if source.fields[name].required or name in source.key else None


def _has_key(person: Person, source: Source, texts: Texts) -> sa.ColumnElement[bool]:
    keys = person.keys(source.id)
    if not keys or not all(name in texts for name in source.key):
        return sa.false()
    return _joined([_tidy(texts[name]) for name in source.key]).in_(keys)


def stays_without(source: Source) -> dict[str, bool]:
    """Identifying fields of a source whose rows stay without their person: field -> whether it may be empty. Nothing of any other source."""
    naming = {name for name in source.fields if name in (*ID_COLUMNS, *ADDRESS_COLUMNS)}
    empty = {name: not source.fields[name].required and name not in source.key for name in naming}
    if source.feeds == "order_line" or (source.feeds == "event" and all(empty.values())):
        return empty
    return {}


def _is_own(person: Person, source: Source, name: str, text: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Whether a canonical field holds one of the person's own identifiers, however it is written."""
    if name in ADDRESS_COLUMNS:
        return _is_address(person, ADDRESS_COLUMNS[name], text)
    if name in LISTS:
        ids = _bare_ids(person, source, *NAMED_BY_SYSTEM)
        return sa.func.regexp_matches(text, pattern_of(ids), type_=sa.Boolean) if ids else sa.false()
    if name == CONTACT_COLUMNS[0]:
        return _tidy(text).in_(person.contact_ids)
    if name in NAMED_BY_SYSTEM:
        return _tidy(text).in_([*person.values(name), *_bare_ids(person, source, name)])
    return _tidy(text).in_(person.values(name)) if name in ID_COLUMNS else sa.false()


def _bare_ids(person: Person, source: Source, *columns: str) -> list[str]:
    """The person's ids in the system whose ids the source carries, as that system writes them."""
    parted = [value.partition(":") for value in person.values(*columns)]
    return sorted({id for system, _, id in parted if id and system == source.system_of_ids})


def _is_address(person: Person, kind: str, text: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """A mail address whatever its case, a phone by its last ten digits, since every system writes the rest in its own way."""
    if kind == "email":
        return sa.func.lower(_tidy(text)).in_([value.lower() for value in person.values("email", "email_key")])
    digits = sa.func.regexp_replace(text, r"\D", "", "g", type_=sa.String)
    is_phone = sa.func.length(text) <= 2 * PHONE_DIGITS + 4
    return sa.and_(is_phone, sa.func.right(digits, PHONE_DIGITS, type_=sa.String).in_(_phone_ends(person)))


def _phone_ends(person: Person) -> list[str]:
    ends = {re.sub(r"\D", "", value)[-PHONE_DIGITS:] for value in person.values("phone", "other_phone")}
    return sorted(end for end in ends if len(end) == PHONE_DIGITS)


def _tidy(text: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    return sa.func.trim(text, " \t\u3000\u00a0", type_=sa.String)


def _joined(keys: list[sa.ColumnElement[str]]) -> sa.ColumnElement[str]:
    return keys[0] if len(keys) == 1 else sa.func.concat_ws("/", *keys, type_=sa.String)


# tables of the lake ---------------------------------------------------------------------------------------------------


def cut_of(name: str, table: sa.Table, person: Person, sources: Mapping[str, Source]) -> Cut | None:
    """What an erasure does to a table of the lake; None when the table cannot speak of a person.

    `table` has the columns of the table called `name`, or some of them; `sources` are those in force, by id.
    """
    source = next((one for one in sources.values() if raw_name(one.id) == name), None)
    if source is not None:
        return cut_of_rows(table, person, source)
    if name == QUARANTINE:
        return _cut(table, [_is_quarantined(table, person, sources)], {})
    gone, changed = _named_in(table, person)
    gone += _records_in(table, person)
    changed |= dict(_addresses_in(table, person))
    for column in CONTACT_COLUMNS:
        if column in table.c and person.contact_ids:
            more, value = _contact_in(name, table, table.c[column], person, sources)
            gone += more
            changed |= value
    return _cut(table, gone, changed) if gone or changed else None


def _is_quarantined(table: sa.Table, person: Person, sources: Mapping[str, Source]) -> sa.ColumnElement[bool]:
    """Rows set aside, read back from their JSON by the columns of their source."""
    found = []
    for source in sources.values():
        texts = {
            name: sa.func.json_extract_string(table.c.row_json, _path(declared.column), type_=sa.String)
            for name, declared in source.fields.items()
        }
        found.append(sa.and_(table.c.source == source.id, speaks_of(person, source, texts)))
    return _any(found)


def _path(column: str) -> str:
    escaped = column.replace("\\", "\\\\").replace('"', '\\"')
    return f'$."{escaped}"'


def _records_in(table: sa.Table, person: Person) -> list[sa.ColumnElement[bool]]:
    if not {"source", "record_key"} <= set(table.c.keys()):
        return []
    by_source = {source: person.keys(source) for source, _ in person.records}
    return [sa.and_(table.c.source == source, table.c.record_key.in_(keys)) for source, keys in by_source.items()]


def _named_in(
    table: sa.Table, person: Person
) -> tuple[list[sa.ColumnElement[bool]], dict[str, tuple[sa.ColumnElement[bool], Any]]]:
    """Rows that name a record as identity does, `source:key`, in whatever column; and identifiers listed by kind.

    Where a row is of another contact and only mentions the record, a token takes its place.
    """
    gone: list[sa.ColumnElement[bool]] = []
    changed: dict[str, tuple[sa.ColumnElement[bool], Any]] = {}
    for column in table.c if person.records else ():
        if isinstance(column.type, sa.String):
            mine = column.in_(person.names)
            if "contact_id" in table.c and column.name not in table.info["grain"]:
                changed[column.name] = (mine, person.token)
            else:
                gone.append(mine)
    if {"kind", "value"} <= set(table.c.keys()):
        named = {(ADDRESS_COLUMNS.get(column, column), value) for column, value in person.own}
        gone += [sa.and_(table.c.kind == kind, table.c.value == value) for kind, value in sorted(named)]
    return gone, changed


def _addresses_in(table: sa.Table, person: Person) -> Iterable[tuple[str, tuple[sa.ColumnElement[bool], None]]]:
    """Own identifiers that another row still shows, such as a former contact of the same records."""
    for name in (*ID_COLUMNS, *ADDRESS_COLUMNS):
        values = person.values(name) + person.values(ADDRESS_COLUMNS.get(name, name))
        if name in table.c and values:
            yield name, (table.c[name].in_(sorted(set(values))), None)


def _contact_in(
    name: str, table: sa.Table, column: sa.Column[Any], person: Person, sources: Mapping[str, Source]
) -> tuple[list[sa.ColumnElement[bool]], dict[str, tuple[sa.ColumnElement[bool], Any]]]:
    """A contact's id: a token in copies of the ledger, nothing where a row may stand without a person, else the row goes."""
    mine = column.in_(person.contact_ids)
    if name in LEDGER_COPIES:
        return [], {column.name: (mine, sa.case(dict(person.tokens), value=column))}
    if column.info.get("required", True):
        return [mine], {}
    if "source" not in table.c:
        return [], {column.name: (mine, None)}
    stay = sorted(id for id, source in sources.items() if stays_without(source))
    return [sa.and_(mine, table.c.source.not_in(stay))], {column.name: (mine, None)}


def _any(found: Iterable[sa.ColumnElement[bool]]) -> sa.ColumnElement[bool]:
    """NULL, which a comparison with nothing gives, is no."""
    return sa.func.coalesce(sa.or_(sa.false(), *found), sa.false())


def _cut(
    table: sa.FromClause, gone: list[sa.ColumnElement[bool]], changed: Mapping[str, tuple[sa.ColumnElement[bool], Any]]
) -> Cut:
    goes = _any(gone)
    values = {}
    for name, (where, value) in changed.items():
        new = value if isinstance(value, sa.ColumnElement) else sa.cast(value, table.c[name].type)
        values[name] = sa.case((where, new), else_=table.c[name])
    return Cut(goes, values, _any([goes, *[where for where, _ in changed.values()]]))


# what is searched for in text -----------------------------------------------------------------------------------------


def telling(person: Person) -> list[str]:
    """What names the person wherever it stands: ids of the contact, own addresses, own ids that are long enough to be nobody else's."""
    ends = _phone_ends(person)
    own = [value for name, value in person.own if name in ("email", "email_key", "unionid", "openid", "crm_id")]
    return sorted({*person.contact_ids, *ends, *(value for value in own if len(value) >= LONG)})


def told_in(table: sa.FromClause, person: Person) -> Cut | None:
    """Rows in which any text names the person, whatever the column is called: how an erasure proves itself, and nothing is cut by it."""
    texts = [column for column in table.c if isinstance(column.type, sa.String)]
    words = telling(person)
    if not texts or not words:
        return None
    pattern = pattern_of(words)
    return _cut(table, [sa.func.regexp_matches(text, pattern, type_=sa.Boolean) for text in texts], {})


def pattern_of(values: Iterable[str]) -> str:
    """A regular expression that finds any of some texts, not inside a longer word or number; the same in Python and in the engine.

    Ten digits are the end of a phone number: up to five more may stand before them.
    """
    words = [rf"[0-9]{{0,5}}{v}" if v.isdigit() and len(v) == PHONE_DIGITS else re.escape(v) for v in values]
    end = r"(?:$|[^0-9A-Za-z._%-]|\.(?:$|[^0-9A-Za-z]))"  # a full stop ends a word, unless another word follows at once
    return rf"(?i)(?:^|[^0-9A-Za-z._%-])(?:{'|'.join(words)}){end}"
