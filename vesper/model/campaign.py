"""A campaign: one content on one channel to one segment, or what a matrix has for each of its people. It cannot start without a whole brief (R72)."""

from pydantic import model_validator

from vesper.model.definition import Name
from vesper.model.from_matrix import FromMatrix, Sent
from vesper.model.outreach import Brief, CallToAction, Channel, Outreach
from vesper.problem import wrong

__all__ = ["Brief", "CallToAction", "Campaign", "Channel"]


class Campaign(Outreach):
    """One campaign to one segment."""

    segment: Name
    """Segment that it is sent to."""
    channel: Channel | None = None
    """Channel it is sent on; a matrix says it for each person, so beside one there is none."""
    content: Sent
    """Content that it sends, or `{matrix: id}`: the one that the matrix has for each person."""

    @model_validator(mode="after")
    def _one_says_the_channel(self) -> "Campaign":
        if isinstance(self.content, FromMatrix) and self.channel is not None:
            raise wrong("The matrix says on which channel each person is written to.", "Drop channel.")
        if not isinstance(self.content, FromMatrix) and self.channel is None:
            raise wrong("Nothing says on which channel it is sent.", "Write channel, such as email.")
        return self
