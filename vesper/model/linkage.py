"""A linkage: which fields of a record are compared, how pairs are found, and the trained weights. Kept and versioned by content.

What belongs here: the shape of the definition and of the trained model. What does not: what a comparison means in SQL
(`warehouse/linkage/`), which links count as keys (`identity.py`).
"""

import hashlib
from typing import Annotated, Literal

from pydantic import Field, model_validator

from vesper.model.definition import Definition, Name, Strict, Text
from vesper.problem import wrong

Probability = Annotated[float, Field(gt=0, lt=1)]
MilliBits = int
"""Thousandths of a bit: log2 of a likelihood ratio, times 1000, so that sums are exact."""

FieldKind = Literal[
    "name", "full_name", "given_name", "surname", "date", "text", "number", "phone", "email", "email_local", "company", "city", "postcode", "category"
]  # fmt: skip
"""Kinds of value. name: Chinese, or Chinese and pinyin mixed; full_name: several words. email_local: a mail address whose part before the @ is
evidence of its own; of email it is not, since most people are called like it."""
Part = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z_]+)?(=[a-z][a-z0-9_]*(\.[a-z_]+)?)?$")]
"""A field, a part of it (`birth.year`), or two that must be equal across the pair (`given=surname`)."""
PARTS: dict[FieldKind, tuple[str, ...]] = {
    "name": ("sound", "family"),
    "full_name": ("tokens", "sorted", "first", "last", "first_start", "last_start"),
    "given_name": ("start", "initial"),
    "surname": ("start", "initial"),
    "date": ("year", "month_day", "year_month", "year_day"),
    "postcode": ("outward",),
    "phone": ("head", "tail"),
    "email": ("local", "tail"),
    "email_local": ("local", "tail"),
    "text": ("start", "first"),
    "company": ("start",),
}
"""Parts that a rule may name, by kind of field."""
Rule = Annotated[tuple[Part, ...], Field(min_length=1)]
"""Parts that must all be equal for a pair to be looked at."""


class LinkageField(Strict):
    """A column of the records and what kind of value it holds."""

    column: Text
    """Column of the records."""
    kind: FieldKind
    """What its values are; decides its parts and how two of them are compared."""
    is_near_unique: bool = False
    """Almost every pair that shares a value is one person: phones, addresses, account numbers."""


class Certainty(Strict):
    """Rules whose pairs are nearly all one person, and the share of all such pairs that they find: where the prior comes from."""

    rules: Annotated[tuple[Rule, ...], Field(min_length=1)]
    """Rules of agreement."""
    recall: Probability = 0.7
    """Share of the true pairs that they find, roughly."""


class ClusterSettings(Strict):
    """When pairs become one contact, in thousandths of a bit."""

    keep: MilliBits = 0
    """Pairs below are no link at all."""
    join: MilliBits = 0
    """Smallest average weight at which two groups of a suspect component join."""
    missing: MilliBits = 0
    """What a pair that was never scored counts: 0 where few fields are filled, below 0 where silence is evidence."""
    conflict: MilliBits = 8000
    """What a pair whose facts contradict takes off."""
    suspect_above: Annotated[int, Field(ge=1)] = 8
    """Components with more records are looked at closely even without a conflict."""
    soft_cap: Annotated[int, Field(ge=2)] = 25
    """Groups above go to review."""
    hard_cap: Annotated[int, Field(ge=2)] = 100
    """Groups above are never one contact."""


class Level(Strict):
    """How likely one level of agreement is."""

    m: Probability
    """Among pairs of one person."""
    u: Probability
    """Among pairs of two persons."""


class LinkageModel(Strict):
    """What training found. Frozen: it changes only when it is trained again."""

    records: Annotated[int, Field(ge=2)]
    """Records that it was trained on; prior and near-unique keys are scaled from here to another size."""
    prior: Probability
    """Chance that two random records of that size are one person."""
    levels: dict[Name, dict[Name, Level]]
    """Comparison -> level -> how likely."""


class Linkage(Definition):
    """definitions/linkage/<id>.yml: probabilistic linkage by weights of evidence (Fellegi and Sunter)."""

    fields: Annotated[dict[Name, LinkageField], Field(min_length=1)]
    """Fields by the name that comparisons and rules use."""
    comparisons: Annotated[
        dict[Name, Annotated[tuple[Name, ...], Field(min_length=1, max_length=2)]], Field(min_length=2)
    ]
    """Comparison -> the field, or the given name and surname, that it judges."""
    blocking: Annotated[tuple[Rule, ...], Field(min_length=1)]
    """A pair is scored when one rule holds."""
    training: Annotated[tuple[Rule, ...], Field(min_length=1)]
    """Rules whose pairs teach the model, one after the other; a comparison learns where the rule does not decide it."""
    certain: Certainty
    """Where the prior comes from."""
    clusters: ClusterSettings = ClusterSettings()
    """When pairs become one contact."""
    name_conflict: MilliBits = 0
    """Taken off where whole names are incompatible and at most one near-unique field agrees: a household, not a person."""
    has_friends: bool = False
    """Pairs with a common partner are scored too. Finds more in field-rich records; such a linkage is always rebuilt whole."""
    smallest: MilliBits | None = None
    """Pairs below are not reported; every pair is where it is missing."""
    model: LinkageModel | None = None
    """The trained weights; a linkage without them must be trained before it is used."""

    @model_validator(mode="after")
    def _names_known_fields(self) -> "Linkage":
        unknown = sorted({part.split(".")[0] for part in self._parts()} - self.fields.keys())
        unknown += sorted({field for fields in self.comparisons.values() for field in fields} - self.fields.keys())
        if unknown:
            raise wrong(
                "{field} is no field of this linkage.",
                "Use one of {fields}, or add it under `fields`.",
                field=", ".join(unknown),
                fields=", ".join(self.fields),
            )
        return self

    @model_validator(mode="after")
    def _names_known_parts(self) -> "Linkage":
        for part in self._parts():
            field, _, wanted = part.partition(".")
            kind = self.fields[field].kind
            if wanted and wanted not in PARTS.get(kind, ()):
                raise wrong(
                    "{part}: a field of kind {kind} has no such part.",
                    "Use {parts}, or the field alone.",
                    part=part,
                    kind=kind,
                    parts=", ".join(PARTS.get(kind, ())) or "-",
                )
        return self

    @model_validator(mode="after")
    def _can_be_trained(self) -> "Linkage":
        if any("." in part or "=" in part for rule in self.training for part in rule):
            raise wrong("A training rule names whole fields only.", "Leave out parts and pairs of fields.")
        for comparison, fields in self.comparisons.items():
            if all(set(fields) & set(rule) for rule in self.training):
                raise wrong(
                    "No training rule leaves {comparison} open, so it learns nothing.",
                    "Add a rule of other fields under `training`.",
                    comparison=comparison,
                )
        return self

    def _parts(self) -> list[str]:
        """Every part that a rule names, of either side."""
        rules = (*self.blocking, *self.training, *self.certain.rules)
        return [side for rule in rules for part in rule for side in part.split("=")]

    @property
    def version(self) -> str:
        """Short hash of everything that a weight or a cluster depends on; another version means a full rebuild."""
        content = self.model_dump_json(exclude={"id", "name", "says", "owner"})
        return hashlib.sha256(content.encode()).hexdigest()[:16]


def population(count: int) -> int:
    """The size that weights are scaled to: the next power of two, so that one more record a night moves no weight."""
    return 1 << max(1, count - 1).bit_length()
