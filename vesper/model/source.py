"""A source: one kind of file that somebody sends, its contract, when it is due, and what happens when it is late (R2, R105).

What belongs here: the declaration. What does not: reading files (connectors) and judging rows (data_quality).
"""

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Discriminator, Field, Tag, model_validator

from vesper.model.definition import Definition, Name, Strict, Text
from vesper.model.feed import CANONICAL, Feed, FieldType
from vesper.model.pull import HttpPull, SqlPull
from vesper.model.timing import ClockTime, Days
from vesper.problem import wrong

Ratio = Annotated[float, Field(ge=0, le=1)]
TRUE_WORDS = ("true", "1", "yes", "y", "是")
FALSE_WORDS = ("false", "0", "no", "n", "否")
NUMBER_FORMATS = ("excel", "epoch", "epoch_ms")
FILE_DATE = "{on}"
"""Written instead of a column: the date in the file's name."""


def _partial(schema: dict[str, Any]) -> None:
    """For editors: with a preset a file states only what differs, so no key of a field is needed; `check` sees the whole."""
    schema["required"] = []


def _partial_source(schema: dict[str, Any]) -> None:
    """For editors: a source is whole by itself, or names a preset and its owner. `field: null` drops a preset's field."""
    whole = schema["required"]
    schema["required"] = ["owner"]
    schema["if"], schema["then"] = {"not": {"required": ["preset"]}}, {"required": whole}
    values = schema["properties"]["fields"]["patternProperties"]
    values.update({name: {"anyOf": [value, {"type": "null"}]} for name, value in values.items()})


class SourceField(Strict):
    """One canonical field: the column it comes from and how its words are read."""

    model_config = ConfigDict(json_schema_extra=_partial)

    column: Text
    """Column as the source spells it. `{on}` is the date in the file's name, for exports that say what is and not since when."""
    type: FieldType
    """How its values are read. A category takes only the `allowed` words."""
    required: bool = False
    """A row without a value is set aside (R10)."""
    format: Text | None = None
    """How a date or instant is written where it is neither ISO 8601 nor Chinese: a strptime format, or one of the words excel (a
    spreadsheet's serial number), epoch (seconds since 1970) and epoch_ms."""
    true_words: tuple[Text, ...] = TRUE_WORDS
    """Words that mean yes, for a flag."""
    false_words: tuple[Text, ...] = FALSE_WORDS
    """Words that mean no, for a flag."""
    allowed: tuple[Text, ...] = ()
    """The only values of a category, after `map`."""
    unknown: Literal["fail", "quarantine"] = "fail"
    """What an unknown category does: fail the night, or set the row aside."""
    map: dict[str, Text] = {}
    """Other spellings: word of the source -> word of ours."""

    @model_validator(mode="after")
    def _settings_fit_type(self) -> "SourceField":
        if (self.type == "category") != bool(self.allowed):
            raise wrong("`allowed` and type: category belong together.", "Write both or neither.")
        if self.column == FILE_DATE and (self.type not in ("date", "instant") or self.format):
            raise wrong(
                "{word} is the file's date.", "Write type: date or type: instant, and no format.", word=FILE_DATE
            )
        if self.format and self.type not in ("date", "instant"):
            raise wrong("`format` is for dates and instants only; this is {type}.", "Drop it.", type=self.type)
        if self.format and "%" not in self.format and self.format not in NUMBER_FORMATS:
            what = "The format {word} names neither day nor time."
            raise wrong(what, "Write it like %d/%m/%Y %H:%M, or one of excel, epoch, epoch_ms.", word=self.format)
        if self.type != "flag" and {"true_words", "false_words"} & self.model_fields_set:
            raise wrong(
                "`true_words` and `false_words` are for flags only; this is {type}.", "Drop them.", type=self.type
            )
        return self


class Cadence(Strict):
    """How often a file comes and when it must be there."""

    every: Literal["day", "irregular", "once"]
    """A file each day, files now and then, or one file for ever."""
    due: ClockTime | None = None
    """Company time by which the day's file must be there."""
    closed_on: tuple[dt.date, ...] = ()
    """Days on which the sender is closed and no file comes."""
    fresh_within: Days | None = None
    """Of files that come now and then: the newest may be so old; after that the source is late."""

    @model_validator(mode="after")
    def _fresh_fits(self) -> "Cadence":
        if self.fresh_within and self.every != "irregular":
            raise wrong(
                "`fresh_within` is for files that come now and then; this one comes {every}.",
                "Drop it, or write every: irregular.",
                every=self.every,
            )
        return self


class CarryForward(Strict):
    """A late source is replaced by its newest file for so many days."""

    carry_forward: Annotated[int, Field(ge=1, le=31)]
    """Days; after them the source blocks."""


def _form_of_late(value: Any) -> str:
    """Which form of `late` was written, so that its errors speak of that form alone."""
    return "<word>" if isinstance(value, str) else "<days>"


Late = Annotated[
    Annotated[Literal["block", "warn"], Tag("<word>")] | Annotated[CarryForward, Tag("<days>")],
    Discriminator(_form_of_late),
]


class RowBounds(Strict):
    """How many rows one file may have."""

    min: Annotated[int, Field(ge=0)]
    """A smaller file fails."""
    max: Annotated[int, Field(ge=1)]
    """A larger file fails."""
    drop_ratio: Ratio = 0.5
    """A file with fewer rows than this share of the median of its last 14 files fails."""

    @model_validator(mode="after")
    def _ordered(self) -> "RowBounds":
        if self.min > self.max:
            raise wrong(
                "min {low} is above max {high}: every file would fail.", "Swap them.", low=self.min, high=self.max
            )
        return self


class Source(Definition):
    """One source of rows."""

    model_config = ConfigDict(json_schema_extra=_partial_source)

    preset: Name | None = None
    """A source that ships with Vesper, e.g. hubspot_contact. What this file does not state is taken from it."""
    crm: Name | None = None
    """System whose ids the rows carry, e.g. hubspot; sources with the same word share them. The first word of the source's id where it is missing."""
    composed: bool = False
    """True when the rows were made up for the example; shown wherever they are shown."""
    system: Literal["csv", "jsonl", "excel", "parquet", "sql", "http"]
    """Kind of system that reads it. sql and http are asked each live night; what they gave lands as a file like any other."""
    sql: SqlPull | None = None
    """How the database is asked, for system: sql."""
    http: HttpPull | None = None
    """How the interface is asked, for system: http."""
    path: Annotated[str, Field(pattern=r"\{on\}.*\.\w+$")]
    """File below the landing folder; {on} stands for the file's date."""
    encoding: Literal["auto", "utf-8", "utf-16", "gb18030", "big5"] = "auto"
    """Encoding of text files; auto tries UTF-8 (with or without BOM), then GB18030 and Big5, and refuses what it cannot tell."""
    feeds: Feed
    """What the rows become."""
    cadence: Cadence
    """How often a file comes."""
    late: Late
    """What a missing file does: block what depends on it, only warn, or carry the newest file forward (R105)."""
    rows: RowBounds
    """How many rows a file may have."""
    max_quarantine_ratio: Ratio = 0.02
    """A file with a larger share of rows set aside fails."""
    changes: Literal["accept", "warn", "block"] = "accept"
    """What it means when rows of earlier nights come with other values: nothing, a warning, or that the night stops."""
    stale_after: Days | None = None
    """A contact's row that did not change for so long counts as out of date (R11)."""
    trust: Annotated[int, Field(ge=0, le=100)] = 50
    """Which source wins when two name different values; higher wins."""
    key: Annotated[tuple[Name, ...], Field(min_length=1)]
    """Canonical fields that identify a row of this source."""
    zone: Text | None = None
    """Zone of times without one; the company's zone where it is missing."""
    null_words: tuple[str, ...] = ("",)
    """Words that mean: no value."""
    series: Text | None = None
    """Campaign series that every row belongs to (R4, R71)."""
    event_kind: Name | None = None
    """Kind of event that a row is. On a contact source: the event that a registration is."""
    missing_columns: Literal["block", "warn"] = "block"
    """What a column does that a file lacks and no row needs: block, since a renamed column would empty a field, or only warn."""
    ignored: tuple[Text, ...] = ()
    """Columns that are known and left out in silence; * stands for any letters."""
    fields: dict[Name, SourceField]
    """Canonical field -> where it comes from. Columns not named here are reported, not read."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that its files must have, each once."""
        return tuple(dict.fromkeys(field.column for field in self.fields.values() if field.column != FILE_DATE))

    @property
    def system_of_ids(self) -> str:
        """The system whose ids the rows carry (`crm`)."""
        return self.crm or self.id.partition("_")[0]

    @property
    def event_kinds(self) -> frozenset[str]:
        """Kinds of event that the rows may be: the declared one, or the words that `kind` is read as."""
        kind = self.fields.get("kind") if self.feeds == "event" else None
        said = {*kind.map.values(), *kind.allowed} if kind else set()
        return frozenset({self.event_kind} if self.event_kind else said)

    @property
    def is_pulled(self) -> bool:
        """Whether it is asked instead of delivering files."""
        return self.system in ("sql", "http")

    @property
    def late_policy(self) -> str:
        """`block`, `warn` or `carry_forward`."""
        return "carry_forward" if isinstance(self.late, CarryForward) else self.late

    @property
    def carry_days(self) -> int:
        """Days that a missing file is replaced by the newest one; 0 unless the policy is carry_forward."""
        return self.late.carry_forward if isinstance(self.late, CarryForward) else 0

    @property
    def canonical(self) -> dict[str, Any]:
        """The canonical fields of this source's feed."""
        return CANONICAL[self.feeds]

    @model_validator(mode="after")
    def _pull_fits(self) -> "Source":
        for word, section in (("sql", self.sql), ("http", self.http)):
            if (self.system == word) != (section is not None):
                what = "`system: {word}` and the part `{word}` belong together."
                raise wrong(what, "Write both or neither.", word=word)
        if self.is_pulled and not self.path.endswith(".parquet"):
            raise wrong("What a source is asked for lands as Parquet.", "Let `path` end in .parquet.")
        return self

    @model_validator(mode="after")
    def _event_kind_fits(self) -> "Source":
        if self.feeds == "event" and bool(self.event_kind) == ("kind" in self.fields):
            raise wrong(
                "A source of events must say which kind of event its rows are, once.",
                "Add event_kind, e.g. event_kind: coupon_redeemed, or map the field kind to a column.",
            )
        if self.event_kind and self.feeds not in ("event", "contact", "unsubscribe"):
            raise wrong(
                "event_kind is for sources of events, contacts or unsubscribes; this one feeds {feeds}.",
                "Drop it.",
                feeds=self.feeds,
            )
        return self
