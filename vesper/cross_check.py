"""What must fit between definitions: a name that is used exists, nothing refers to itself, nothing reads what is made later.

What belongs here: running the checks of `vesper/checks/`. What does not: one text by itself (its model), files and folders (`check.py`).
"""

from collections.abc import Sequence

from vesper.checks import (
    campaign,
    channel,
    company,
    condition,
    content,
    experiment,
    goal,
    group,
    journey,
    journey_map,
    linkage,
    matrix,
    outreach,
    recommendation,
    source,
    value,
)
from vesper.checks.book import Book
from vesper.language import Translate
from vesper.problem import Problem
from vesper.reading import Reading


def cross_check(readings: Sequence[Reading], _: Translate) -> list[Problem]:
    """Every problem between the readings that could be read, in the order of files and lines."""
    book = Book(tuple(readings))
    subjects = (
        source,
        condition,
        goal,
        group,
        campaign,
        outreach,
        journey,
        content,
        channel,
        matrix,
        experiment,
        recommendation,
        journey_map,
        company,
        linkage,
        value,
    )
    return sorted({problem for subject in subjects for problem in subject.problems(book, _)})


def cross_warnings(readings: Sequence[Reading], _: Translate) -> list[Problem]:
    """What can be used as it is and deserves a second look."""
    book = Book(tuple(readings))
    return sorted(
        {
            problem
            for subject in (group, outreach, matrix, recommendation, journey_map)
            for problem in subject.warnings(book, _)
        }
    )
