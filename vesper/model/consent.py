"""policy/consent.yml: whose yes counts only once it is confirmed, who is too young, which bounces and complaints are too many.

What belongs here: what the company asks of consent beyond a statement. What does not: the statements (the ledger) and their fold.
"""

from typing import Annotated

from pydantic import Field

from vesper.definition_set import DefinitionSet
from vesper.model.definition import Definition, Name, Strict, Wording
from vesper.model.timing import Days


class SoftBounces(Strict):
    """When mail that comes back for now has come back often enough (C12)."""

    times: Annotated[int, Field(ge=1)] = 3
    """So many in a row, with nothing delivered between them."""
    over: Days = Days("3d")
    """The first and the last of them lie at least so far apart."""


class Complaints(Strict):
    """How many spam reports are too many; mail providers block a sender for them (C5)."""

    warn_at: Annotated[float, Field(gt=0, lt=1)] = 0.001
    """Share of the last seven days' mails that is warned of."""
    halt_at: Annotated[float, Field(gt=0, lt=1)] = 0.003
    """Share at which no further marketing mail is planned."""
    of_at_least: Annotated[int, Field(ge=1)] = 1000
    """Of fewer mails the share tells nothing."""


class ConsentPolicy(Definition):
    """What counts as consent, and what ends it (R88, R90)."""

    double_opt_in: tuple[Name, ...] = ()
    """Sources whose yes to marketing counts only once the person has confirmed it by a link of their own (C11)."""
    minimum_age: Annotated[int, Field(ge=0, le=21)] = 14
    """Nobody younger gets anything but operational messages without a guardian's consent (PIPL 31, C9)."""
    soft_bounces: SoftBounces = SoftBounces()
    """When a mailbox that is full or away for long is given up."""
    complaints: Complaints = Complaints()
    """When spam reports halt marketing mail."""


def consent_policy(definitions: DefinitionSet) -> ConsentPolicy:
    """The company's rules about consent; Vesper's own where an older set of definitions has none."""
    policies = definitions.of(ConsentPolicy)
    return policies.get("consent") or ConsentPolicy(id="consent", says=Wording("-"), owner="vesper")
