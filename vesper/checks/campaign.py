"""Campaigns: the segment exists (R72); what they share with journeys, contents among it, stands in `outreach.py`."""

from collections.abc import Iterator

from vesper.checks.book import Book, unknown
from vesper.language import Translate
from vesper.model.campaign import Campaign
from vesper.problem import Problem


def problems(book: Book, _: Translate) -> Iterator[Problem]:
    """What is wrong with the campaigns."""
    for reading, campaign in book.of(Campaign):
        yield from unknown(
            reading, ("segment",), _("There is no segment {word}."), campaign.segment, book.ids("segments"), _
        )
