"""The matrix of contents: what it names exists, nobody meets two rows, and what no row is for is told by name (R78, R80)."""

from collections.abc import Iterator
from itertools import combinations

from vesper.checks.book import Book, unknown, unknown_stage
from vesper.language import Translate
from vesper.model.content import DEFAULT, Content
from vesper.model.matrix import VARIANTS, Matrix
from vesper.problem import Problem
from vesper.reading import Reading


def problems(book: Book, _: Translate) -> Iterator[Problem]:
    """What is wrong with the matrices."""
    for reading, matrix in book.of(Matrix):
        yield from _names(book, reading, matrix, _)
        yield from _rules(book, reading, matrix, _)
        yield from _overlaps(reading, matrix, _)


def warnings(book: Book, _: Translate) -> Iterator[Problem]:
    """The gaps: those that have a name, and the stages and tags that no row is for."""
    for reading, matrix in book.of(Matrix):
        for place, row in enumerate(matrix.rows):
            if row.gap is not None:
                what = _("The matrix has a gap, {word}: {why}").format(word=row.id, why=row.gap)
                yield reading.problem(("rows", place), what, _("Write a content for them."))
        for stage in (one.id for one in book.stages):
            for bears, lacks in matrix.gaps(stage):
                what = _("The matrix has nothing for {cell}.").format(cell=cell(stage, bears, lacks, _))
                yield reading.problem(("rows",), what, _("Add a row with a content, or a gap that says why."))


def cell(stage: str, bears: tuple[str, ...], lacks: tuple[str, ...], _: Translate) -> str:
    """A stage and its tags in words."""
    parts = [_("with {tags}").format(tags=", ".join(sorted(bears)))] if bears else []
    parts += [_("without {tags}").format(tags=", ".join(sorted(lacks)))] if lacks else []
    return " ".join([stage, *parts])


def _names(book: Book, reading: Reading, matrix: Matrix, _: Translate) -> Iterator[Problem]:
    for place, row in enumerate(matrix.rows):
        path = ("rows", place)
        for number, stage in enumerate(row.stages):
            yield from unknown_stage(book, reading, (*path, "stages", number), stage, _)
        for key, tags in (("bears", row.bears), ("lacks", row.lacks)):
            for number, tag in enumerate(tags):
                home = (*path, key, number)
                yield from unknown(reading, home, _("There is no tag {word}."), tag, book.ids("tags"), _)
        if row.content:
            where = (*path, "content")
            yield from unknown(reading, where, _("There is no content {word}."), row.content, book.ids("content"), _)


def _rules(book: Book, reading: Reading, matrix: Matrix, _: Translate) -> Iterator[Problem]:
    """Dynamic rules that the row's content cannot follow."""
    contents = {one.id: content for one, content in book.of(Content)}
    for place, row in enumerate(matrix.rows):
        content = contents.get(row.content or "")
        if content is None or row.rule == VARIANTS:
            continue
        known = {variant.id for variant in content.variants} | ({DEFAULT} if content.messages else set())
        what = _("The content {content} has no variant {{word}}.").format(content=content.id)
        yield from unknown(reading, ("rows", place, "rule"), what, row.rule, known | {VARIANTS}, _)


def _overlaps(reading: Reading, matrix: Matrix, _: Translate) -> Iterator[Problem]:
    """Rows that somebody meets together with an earlier one, each told once."""
    told: set[int] = set()
    for (_first, one), (place, other) in combinations(enumerate(matrix.rows), 2):
        if place not in told and one.overlaps(other):
            told.add(place)
            shared = next(stage for stage in other.stages if stage in one.stages)
            met = cell(shared, tuple(sorted({*one.bears, *other.bears})), tuple(sorted({*one.lacks, *other.lacks})), _)
            what = _("The rows {first} and {second} are both for {cell}.").format(
                first=one.id, second=other.id, cell=met
            )
            yield reading.problem(
                ("rows", place), what, _("Tell them apart by a tag: bears in one, lacks in the other.")
            )
