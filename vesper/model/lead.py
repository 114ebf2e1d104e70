"""policy/lead.yml: what makes a contact a lead, what touches it, how it ends, and when it counts as lost on the way (R43, R46, R47, R48)."""

from typing import Literal

from vesper.conditions import Condition
from vesper.model.definition import Definition, Name
from vesper.model.timing import Days

End = Literal["to_sales", "invalid", "recycled"]


class LeadPolicy(Definition):
    """The company's rules about leads. An MQL is a lead whatever this says."""

    opened_by: tuple[Name, ...] = ()
    """Kinds of event that make a contact a lead; where it is empty, the events that rows of contact sources are, e.g. a hotline call."""
    touched_by: tuple[Name, ...] = ()
    """Kinds of event by which the company touched a contact, e.g. mail_delivered. Messages, mailings and outcomes always count."""
    after_rejected: End = "recycled"
    """How a lead ends that sales refuse."""
    after_lost: End = "recycled"
    """How a lead ends whose deal is lost."""
    order_ends: bool = True
    """An order ends a lead as a won deal does. For a company whose leads buy in a shop; without orders it changes nothing."""
    untouched_after: Days = Days("2d")
    """A lead so many days old without a touch counts as untouched."""
    ignored_after: Days = Days("90d")
    """A lead of the pool without a touch for so many days counts as ignored."""
    reengage_after: Days = Days("90d")
    """A buyer without a touch for so many days after the sale counts as not re-engaged."""
    buried_after: Days = Days("180d")
    """A lead without a touch for so many days is buried, if it fits `icp` (R47)."""
    icp: Condition
    """The ideal customer profile: who is worth digging out."""
    lost_within: Days = Days("90d")
    """Window of the report on lost reasons (R48)."""
