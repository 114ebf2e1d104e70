"""The steward's hand: two records are one person, or are not, or a value is fixed; with who and why, surviving every night (R104).

What belongs here: understanding what is named, refusing what cannot be, and binding the rules for a night. What does not: the ledger's part
(`warehouse/ledger/steward.py`), and what a rule does (`vesper/identity/`, `vesper/consolidate/pin.py`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tasks.bench import Bench
from vesper.consolidate.pin import PINNED
from vesper.language import Translate, translator
from vesper.tables.contact import CONTACT_MEMBER
from vesper.tables.ledger_copy import LEDGER_STEWARD
from warehouse.house import House
from warehouse.ledger import steward as in_ledger
from warehouse.ledger.steward import Kind, RuleRefused
from warehouse.runner import Runner


class AlreadySaid(LookupError):
    """A rule in force says so already; nothing was recorded."""


def bind_rules(bench: Bench) -> sa.Table:
    """Make the steward rules in force tonight readable as `raw_vesper__steward_rule`."""
    rules = in_ledger.rules_in_force(bench.house.engine, bench.business_on)
    return bench.bind_rows(LEDGER_STEWARD.name, LEDGER_STEWARD, [asdict(rule) for rule in rules])


def link(root: Path, one: str, other: str, by: str, reason: str) -> str:
    """Two source rows, or two contacts, are one person from the next night on, whatever the evidence says."""
    return _link(root, "must_link", (one, other), by, reason)


def separate(root: Path, one: str, other: str, by: str, reason: str) -> str:
    """Two source rows are two people from the next night on, whatever the evidence says. Both get back what is theirs."""
    return _link(root, "cannot_link", (one, other), by, reason)


def pin(root: Path, who: str, field: str, value: str, by: str, reason: str) -> str:
    """Fix a field of a contact, named by its id or one of its source rows; an empty value empties the field."""
    with _opened(root) as (house, _):
        if field not in PINNED:
            raise LookupError(
                _("{field} cannot be pinned; one of {fields} can.").format(field=field, fields=", ".join(PINNED))
            )
        record = _record(house, who, _)
        on = house.binds_on()
        rule = in_ledger.add_pin(house.engine, record, field, value.strip() or None, by, reason, on)
    return _(
        "Rule {rule}: {field} of {record} is pinned from the night of {on} on; `vesper steward lift {rule}` ends it."
    ).format(rule=rule, field=field, record=record, on=on)


def lift(root: Path, rule_id: int, by: str, reason: str) -> str:
    """End a rule from the next night on."""
    with _opened(root) as (house, _):
        on = house.binds_on()
        try:
            in_ledger.lift(house.engine, rule_id, by, reason, on)
        except RuleRefused as refused:
            raise LookupError(_refusal(refused, _)) from None
    return _("Rule {rule} ends with the night of {on}.").format(rule=rule_id, on=on)


def rules(root: Path) -> list[dict[str, Any]]:
    """The rules that nobody has lifted, oldest first. A pin's value is personal: it is left out."""
    with _opened(root) as (house, _):
        return [
            {name: said for name, said in asdict(rule).items() if name != "value"}
            for rule in in_ledger.rules_in_force(house.engine)
        ]


def _link(root: Path, kind: Kind, named: tuple[str, str], by: str, reason: str) -> str:
    with _opened(root) as (house, _):
        one, other = (_record(house, who, _) for who in named)
        if one == other:
            raise LookupError(
                _("{one} and {other} name the same source row; name two.").format(one=named[0], other=named[1])
            )
        on = house.binds_on()
        try:
            rule = in_ledger.add_link(house.engine, kind, (one, other), by, reason, on)
        except RuleRefused as refused:
            kind_of_error = AlreadySaid if refused.reason == "same" else LookupError
            raise kind_of_error(_refusal(refused, _)) from None
    said = _(
        "Rule {rule}: {one} and {other} are one person from the night of {on} on; `vesper steward lift {rule}` ends it."
    )
    if kind == "cannot_link":
        said = _(
            "Rule {rule}: {one} and {other} are two people from the night of {on} on; `vesper steward lift {rule}` ends it."
        )
    return said.format(rule=rule, one=one, other=other, on=on)


@contextmanager
def _opened(root: Path) -> Iterator[tuple[House, Translate]]:
    house = House.open(root)
    try:
        yield house, translator(house.workspace.company.language)
    finally:
        house.close()


def _record(house: House, who: str, _: Translate) -> str:
    """The source row that is meant: itself, or of a contact its smallest. Raises LookupError when nobody is called so."""
    name = CONTACT_MEMBER.c.source + ":" + CONTACT_MEMBER.c.record_key
    is_meant = sa.or_(name == who, CONTACT_MEMBER.c.contact_id == who)
    with Runner(house.lake) as runner:
        runner.bind_snapshot(CONTACT_MEMBER, house.lake.in_force(CONTACT_MEMBER.name))
        found = runner.scalar(sa.select(sa.func.min(name)).where(is_meant))
    if found is None:
        raise LookupError(
            _("No contact and no source row is called {who}; `vesper explain` finds people.").format(who=who)
        )
    return str(found)


def _refusal(refused: RuleRefused, _: Translate) -> str:
    sentences = {
        "same": _("Rule {rule} says so already."),
        "opposite": _("Rule {rule} says the opposite of the two; lift it first: `vesper steward lift {rule}`."),
        "unknown": _("There is no rule {rule}; `vesper steward list` shows them."),
        "lifted": _("Rule {rule} is lifted already."),
    }
    return sentences[refused.reason].format(rule=refused.rule_id)
