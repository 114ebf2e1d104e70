"""Linkages as a workspace uses them: the one that the identity policy names is there and trained, and its columns are those of source rows.

What belongs here: what lies between policy, linkage and table. What does not: one linkage by itself (`vesper/model/linkage.py`).
"""

from collections.abc import Iterator

from vesper.checks.book import Book, unknown
from vesper.language import Translate
from vesper.model.identity import IdentityPolicy
from vesper.model.linkage import Linkage
from vesper.presets import preset_ids
from vesper.problem import Problem
from vesper.reading import Reading


def problems(book: Book, _: Translate) -> Iterator[Problem]:
    """What is wrong between the identity policy and linkages."""
    linkages = {reading.id: (reading, linkage) for reading, linkage in book.of(Linkage)}
    for reading, linkage in linkages.values():
        yield from _columns(reading, linkage, _)
    for reading, policy in book.of(IdentityPolicy):
        if policy.linkage and policy.linkage not in book.ids("linkage"):
            yield from _absent(book, reading, policy.linkage, _)
        elif policy.linkage in linkages:
            yield from _untrained(reading, *linkages[policy.linkage], _)


def _absent(book: Book, policy: Reading, named: str, _: Translate) -> Iterator[Problem]:
    """A linkage that ships is always among the files; only what is in force can lack it."""
    shipped = preset_ids("linkage")
    if named in shipped:
        what = _("The linkage {word} is not in force.").format(word=named)
        yield policy.problem(("linkage",), what, _("Activate linkage/{word} first.").format(word=named))
    what = _("There is no linkage {word}.")
    yield from unknown(policy, ("linkage",), what, named, shipped | book.ids("linkage"), _)


def _untrained(policy: Reading, reading: Reading, linkage: Linkage, _: Translate) -> Iterator[Problem]:
    """A linkage in use has weights for everything that it compares."""
    instead = _("Train it first: `vesper train linkage {word}`.").format(word=linkage.id)
    if linkage.model is None:
        what = _("The linkage {word} was never trained, so it has no weights.").format(word=linkage.id)
        yield policy.problem(("linkage",), what, instead)
        return
    for name in linkage.comparisons:
        if name not in linkage.model.levels:
            what = _("The comparison {word} has no weights in the model.").format(word=name)
            yield reading.problem(("comparisons", name), what, instead)


def _columns(reading: Reading, linkage: Linkage, _: Translate) -> Iterator[Problem]:
    """Columns that no source row has."""
    # Imported here: most companies have no linkage, and need no table to be checked.
    from vesper.tables.contact import SOURCE_RECORD

    for name, field in linkage.fields.items():
        what = _("core__source_record has no column {word}.")
        path = ("fields", name, "column")
        yield from unknown(reading, path, what, field.column, set(SOURCE_RECORD.c.keys()), _)
