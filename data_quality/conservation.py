"""Nothing is lost between stages: the balances of each stage, and the sentence when one does not hold (architecture,
section 5).

Counting is the stage's work; here are only the equations.
"""

from collections.abc import Iterable, Mapping

from data_quality.findings import Translate, plain
from vesper.stage_report import Balance


def consolidated_rows(
    source: str, received: int, *, new: int, changed: int, unchanged: int, quarantined: int, superseded: int = 0
) -> Balance:
    """Consolidate, by source: every received row is new, changed, unchanged, quarantined, or replaced by a later row of
    its own file.
    """
    parts = {
        "new": new,
        "changed": changed,
        "unchanged": unchanged,
        "quarantined": quarantined,
        "superseded": superseded,
    }
    return Balance(f"consolidate {source}", received, parts)


def consolidated_contacts(
    live_rows: int, *, golden: int, merged: int, excluded: Mapping[str, int] | None = None
) -> Balance:
    """Consolidate, identity: every live source row is a golden contact, merged into one, or excluded by a named rule."""
    by_rule = {f"excluded by {rule}": count for rule, count in (excluded or {}).items()}
    return Balance("consolidate contacts", live_rows, {"golden": golden, "merged": merged, **by_rule})


def consolidated_orders(lines: int, by_source: Mapping[str, int]) -> Balance:
    """Consolidate, orders: every order line comes from exactly one row of an order source; a lookup neither loses nor doubles one."""
    return Balance("consolidate order lines", lines, dict(by_source))


def scored(contacts: int, scores: int) -> Balance:
    """Score: each contact gets exactly one score."""
    return Balance("score", contacts, {"scored": scores})


def segmented(segment: str, members: int, *, previous: int, entered: int, left: int) -> Balance:
    """Segment, by segment: members are yesterday's, plus who entered, less who left."""
    return Balance(f"segment {segment}", members, {"previous": previous, "entered": entered, "left": -left})


def sent(campaign: str, audience: int, intents: int, refused: Mapping[str, int]) -> Balance:
    """Send, by campaign: each person of the audience has an intent or a reason why not."""
    return Balance(
        f"send {campaign}",
        audience,
        {"intents": intents, **{f"refused: {reason}": count for reason, count in refused.items()}},
    )


def broken_sentence(balances: Iterable[Balance], owner: str, _: Translate = plain) -> str | None:
    """One sentence about the first balance that does not hold, None when all do."""
    broken = next((each for each in balances if not each.holds), None)
    if broken is None:
        return None
    message = _(
        "Rows were lost or invented in «{name}»: {total} on one side, {sum} on the other ({parts}). Nothing was "
        "published; the last publish stays in force. Owner: {owner}."
    )
    parts = ", ".join(f"{name} {count}" for name, count in broken.parts.items())
    return message.format(
        name=broken.name, total=broken.total, sum=sum(broken.parts.values()), parts=parts, owner=owner
    )
