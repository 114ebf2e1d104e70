"""A campaign: one content on one channel to one segment. It cannot start without a whole brief (R72)."""

from vesper.model.definition import Name
from vesper.model.outreach import Brief, CallToAction, Channel, Outreach

__all__ = ["Brief", "CallToAction", "Campaign", "Channel"]


class Campaign(Outreach):
    """One campaign on one channel to one segment."""

    segment: Name
    """Segment that it is sent to."""
    channel: Channel
    """Channel it is sent on."""
    content: Name
    """Content that it sends."""
