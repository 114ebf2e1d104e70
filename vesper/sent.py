"""What a campaign or a journey sends: contents, or the matrix that has one for each person, on which channels.

What belongs here: reading that off the definitions, for checks, previews and answers. What does not: choosing for one person (`matrix.py`, `send_content.py`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from vesper.model.campaign import Campaign
from vesper.model.condition import Path
from vesper.model.from_matrix import FromMatrix
from vesper.model.journey import Journey
from vesper.model.matrix import Matrix
from vesper.model.outreach import Outreach


@dataclass(frozen=True)
class SentContent:
    """One content to be sent somewhere in a campaign or journey. `channel` is None where a matrix says it for each person."""

    path: Path
    content: str | FromMatrix
    channel: str | None
    purpose: str

    @property
    def name(self) -> str:
        """The definition that it names, as it is kept: content/id or matrix/id."""
        return f"matrix/{self.content.matrix}" if isinstance(self.content, FromMatrix) else f"content/{self.content}"


def sent_by(outreach: Outreach) -> list[SentContent]:
    """What a campaign sends, or the steps of a journey."""
    if isinstance(outreach, Campaign):
        return [SentContent(("content",), outreach.content, outreach.channel, outreach.purpose)]
    steps = outreach.steps if isinstance(outreach, Journey) else ()
    return [
        SentContent(("steps", n, "send", "content"), s.content, s.own_channel, s.purpose or outreach.purpose)
        for n, step in enumerate(steps)
        if (s := step.send) is not None
    ]


def contents_behind(sent: SentContent, matrices: Mapping[str, Matrix]) -> Iterator[tuple[str, frozenset[str]]]:
    """Each content that somebody may get, with the channels it may go out on; none of a matrix that is not there."""
    if not isinstance(sent.content, FromMatrix):
        yield sent.content, frozenset({sent.channel} if sent.channel else ())
        return
    matrix = matrices.get(sent.content.matrix)
    for row in matrix.rows if matrix else ():
        if matrix and row.content:
            yield row.content, frozenset(matrix.channels_of(row))
