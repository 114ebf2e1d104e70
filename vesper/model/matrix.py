"""The matrix of contents and channels: which content, which channels and which dynamic rule a stage and some tags have (R78, R80).

What belongs here: the shape, and which row a stage with some tags meets. What does not: choosing for contacts (`vesper/matrix.py`), overlaps and
gaps of a whole matrix (`vesper/checks/matrix.py`).
"""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field, model_validator

from vesper.model.content import DEFAULT
from vesper.model.definition import Definition, Name, Strict, Wording
from vesper.model.outreach import Channel
from vesper.problem import wrong

VARIANTS = "variants"
"""The dynamic rule by which the content's own variants are asked."""
MOST_TAGS = 12


class MatrixRow(Strict):
    """What some stages get, with some tags. A tag that is in neither list may be there or not."""

    id: Name
    """The row's word."""
    says: Wording | None = None
    """Why these people get this."""
    stages: Annotated[tuple[Name, ...], Field(min_length=1)]
    """Lifecycle stages that it is for."""
    bears: tuple[Name, ...] = ()
    """Tags that the contact bears, every one."""
    lacks: tuple[Name, ...] = ()
    """Tags that the contact does not bear, none of them."""
    content: Name | None = None
    """The content; without one the row is a gap with a name."""
    channels: tuple[Channel, ...] = ()
    """Channels in the order they are tried; those of the matrix where there are none. A channel that the contact prefers goes first (R80)."""
    rule: Name = VARIANTS
    """The dynamic rule: `variants` asks the conditions of the content's variants, `default` gives everybody the same, a variant's id gives that one."""
    gap: Wording | None = None
    """Why there is no content for them yet."""

    @model_validator(mode="after")
    def _says_what(self) -> "MatrixRow":
        if (self.content is None) == (self.gap is None):
            raise wrong("A row has either a content or a gap.", "Write content, or say under gap why there is none.")
        both = sorted(set(self.bears) & set(self.lacks))
        if both:
            raise wrong("{tag} is borne and lacked at once: nobody can match.", "Keep it in one list.", tag=both[0])
        return self

    @property
    def is_dynamic(self) -> bool:
        """Whether the content's variants decide."""
        return self.rule == VARIANTS

    def meets(self, stage: str, tags: frozenset[str]) -> bool:
        """Whether it is for a contact of a stage with these tags."""
        return stage in self.stages and tags.issuperset(self.bears) and tags.isdisjoint(self.lacks)

    def overlaps(self, other: "MatrixRow") -> bool:
        """Whether somebody could meet both."""
        opposed = set(self.bears) & set(other.lacks) or set(other.bears) & set(self.lacks)
        return not opposed and not set(self.stages).isdisjoint(other.stages)


class Matrix(Definition):
    """A matrix of contents and channels by stage and tags."""

    channels: Annotated[tuple[Channel, ...], Field(min_length=1)]
    """Channels of every row that names none, in the order they are tried."""
    rows: Annotated[tuple[MatrixRow, ...], Field(min_length=1)]
    """What each stage gets with which tags. No contact may meet two rows."""

    @model_validator(mode="after")
    def _plain(self) -> "Matrix":
        ids = [row.id for row in self.rows]
        if len(set(ids)) < len(ids):
            raise wrong("Two rows have the same id.", "Give each row its own id.")
        if len(self.tags) > MOST_TAGS:
            raise wrong(
                "The matrix tells {count} tags apart; nobody can look over more than {most}.",
                "Leave some out, or make two matrices.",
                count=len(self.tags),
                most=MOST_TAGS,
            )
        return self

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags that its rows tell apart, in alphabetical order."""
        return tuple(sorted({tag for row in self.rows for tag in (*row.bears, *row.lacks)}))

    @property
    def used_channels(self) -> tuple[Channel, ...]:
        """The channels on which somebody may be written to, in the order in which rows name them."""
        return tuple(dict.fromkeys(channel for row in self.rows for channel in self.channels_of(row)))

    def channels_of(self, row: MatrixRow) -> tuple[Channel, ...]:
        """The channels of a row in the order they are tried; none of a gap."""
        return (row.channels or self.channels) if row.content else ()

    def row_for(self, stage: str, tags: frozenset[str]) -> MatrixRow | None:
        """The one row that a stage with these tags meets; None is a gap without a name of its own."""
        return next((row for row in self.rows if row.meets(stage, tags)), None)

    def gaps(self, stage: str) -> "Iterator[tuple[tuple[str, ...], tuple[str, ...]]]":
        """The tags (borne, lacked) with which a stage meets no row. Few wide ones, which do not overlap, rather than every subset."""
        yield from _open([row for row in self.rows if stage in row.stages], (), ())


def _open(
    rows: list[MatrixRow], bears: tuple[str, ...], lacks: tuple[str, ...]
) -> "Iterator[tuple[tuple[str, ...], tuple[str, ...]]]":
    """What no row covers of the contacts who bear and lack some tags: split by the first tag that a row still asks for."""
    left = [row for row in rows if not (set(row.bears) & set(lacks) or set(row.lacks) & set(bears))]
    if not left:
        yield bears, lacks
        return
    asked = {tag for row in left for tag in (*row.bears, *row.lacks)} - set(bears) - set(lacks)
    if any(set(row.bears) <= set(bears) and set(row.lacks) <= set(lacks) for row in left):
        return
    tag = min(asked, key=lambda one: (-sum(one in (*row.bears, *row.lacks) for row in left), one))
    yield from _open(left, (*bears, tag), lacks)
    yield from _open(left, bears, (*lacks, tag))


__all__ = ["DEFAULT", "VARIANTS", "Matrix", "MatrixRow"]
