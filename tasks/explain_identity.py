"""Why source rows are one contact, in markdown: what ties them, what was kept apart, which ids they had, what stewards said, where values come from.

What belongs here: these sections of a contact's page and their words. What does not: the other sections (`tasks/explain_person.py`) and the Selects
(`vesper/explain_identity.py`), which mask what is personal (R122).
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from tasks.explain_asked import Asked, section, table
from vesper import explain_identity as ask
from vesper.model.identity import IdentityPolicy
from vesper.model.linkage import ClusterSettings, Linkage
from vesper.wording import figure
from warehouse.ledger.steward import Rule, rules_in_force

LONGEST = 20
"""Rows of a table on the page; what is left out is counted."""
BIT = 1000
"""Weights are whole thousandths of a bit."""
STEWARD = "steward"


def moved(asked: Asked, old_id: str, id: str) -> str:
    """What became of an id that was asked for, where it is not the contact's own; empty where it is."""
    found = asked.rows(ask.retired(old_id)) if old_id != id else []
    said = asked._("{old_id} was retired on the night of {on}; its person is this contact now.")
    return said.format(old_id=old_id, on=found[0].on) if found else ""


def gone(asked: Asked, old_id: str) -> str:
    """What became of an id whose source rows are all gone; empty of any other id."""
    found = [row for row in asked.rows(ask.retired(old_id)) if row.contact_id is None]
    said = asked._("{old_id} was retired on the night of {on}: none of its source rows is left.")
    return said.format(old_id=old_id, on=found[0].on) if found else ""


def identity_sections(asked: Asked, id: str) -> list[str]:
    """The sections of a contact's page about identity, in the order in which a steward asks."""
    _ = asked._
    return [
        section(_("Links"), _links(asked, id)),
        section(_("Kept apart"), _apart(asked, id)),
        section(_("Ids and history"), _history(asked, id)),
        section(_("Steward rules"), _rules(asked, id)),
        section(_("Where values come from"), _provenance(asked, id)),
        section(_("Company"), _company(asked, id)),
    ]


def _links(asked: Asked, id: str) -> str:
    """The tree that holds the rows together, the weakest link first, each with every rule that ties the pair."""
    _ = asked._
    links = asked.rows(ask.links_inside(id))
    tree = ask.strongest_tree(links)
    by_pair: dict[tuple[str, str], list[str]] = defaultdict(list)
    for link in links:
        by_pair[link.record_a, link.record_b].append(asked.word(link.rule))
    rows = [
        [link.record_a, link.record_b, ", ".join(by_pair[link.record_a, link.record_b]), _bits(link.weight)]
        for link in tree
    ]
    shown = _longest(asked, [_("row"), _("row"), _("linked by"), _("weight (bits)")], rows)
    if not shown:
        return _("One source row: nothing had to be linked.")
    said = _("The strongest links that hold the rows together, the weakest first.")
    review = _("A steward should look at this contact: it is unusually large, or its rows contradict each other.")
    return "\n\n".join(filter(None, [said, shown, review if asked.rows(ask.reviewed(id)) else "", _decided(asked)]))


def _decided(asked: Asked) -> str:
    """The definitions that decided what links."""
    policy = _policy(asked)
    names = ["policy/identity", *([f"linkage/{policy.linkage}"] if policy and policy.linkage else [])]
    files = ", ".join(asked.decided_by("consolidate", name) for name in names)
    return asked._("Decided by {files}.").format(files=files)


def _policy(asked: Asked) -> IdentityPolicy | None:
    return asked.definitions("consolidate").of(IdentityPolicy).get("identity")


def _clusters(asked: Asked) -> ClusterSettings:
    """The thresholds that the night's contacts were made by."""
    policy = _policy(asked)
    linkage = asked.definitions("consolidate").of(Linkage).get(policy.linkage or "") if policy else None
    return linkage.clusters if linkage else policy.clusters if policy else ClusterSettings()


def _apart(asked: Asked, id: str) -> str:
    """Other contacts that something ties to this one, the closest first, and why they are not it."""
    _ = asked._
    links = {row.contact_id: row for row in asked.rows(ask.links_apart(id))}
    vetoes: dict[str, list[Any]] = defaultdict(list)
    for row in asked.rows(ask.vetoes_apart(id)):
        vetoes[row.contact_id].append(row)
    keep = _clusters(asked).keep
    rows = []
    for other in [*links, *(contact_id for contact_id in vetoes if contact_id not in links)]:
        pair = links.get(other)
        near = pair or vetoes[other][0]
        tie = [asked.word(pair.rule), _bits(pair.weight)] if pair else [_("only by way of other rows"), "-"]
        rows.append([other, near.mine, near.other, *tie, _against(asked, pair, vetoes[other], keep)])
    heads = [_("contact"), _("row"), _("its row"), _("linked by"), _("weight (bits)"), _("speaks against")]
    shown = _longest(asked, heads, rows) or _("No other contact was near enough to be weighed.")
    return "\n\n".join([shown, *_shared(asked, id)])


def _against(asked: Asked, link: Any, vetoes: Sequence[Any], keep: int) -> str:
    """What keeps two contacts apart: what speaks against, or the line that the evidence does not reach."""
    _ = asked._
    if not vetoes:
        weak = _("weaker than the {bits} bits that a link needs").format(bits=_bits(keep))
        return weak if link.weight < keep else _("their rows together do not match well enough")
    final = _("{rule} (final)")
    said = [(veto.is_final, _veto(asked, veto.rule)) for veto in vetoes]
    return ", ".join(final.format(rule=rule) if is_final else rule for is_final, rule in said)


def _veto(asked: Asked, rule: str) -> str:
    """A veto's rule in words: a steward, names, or an id of which a person has one."""
    if rule == STEWARD:
        return asked.word(rule)
    if rule == "name":
        return asked._("names that cannot be one person's")
    return asked._("two values of {key}").format(key=asked.word(rule))


def _shared(asked: Asked, id: str) -> list[str]:
    """A sentence for each phone or address of the contact that links nobody."""
    policy = _policy(asked)
    guarded = [kind for kind, key in policy.keys.items() if key.strength == "guarded"] if policy else []
    if policy is None or not guarded:
        return []
    said = asked._("{kind} {value}, on {count} of its rows, is shared by too many names, so it links nobody.")
    keys = asked.rows(ask.shared_keys(id, {kind: policy.columns_of(kind) for kind in guarded}))
    return [
        said.format(kind=asked.word(key.kind), value=key.value, count=figure(key.record_count))
        for key in keys[:LONGEST]
    ]


def _history(asked: Asked, id: str) -> str:
    """The ids whose person the contact holds, and every merge and split of them."""
    _ = asked._
    older = [[row.old_id, row.on] for row in asked.rows(ask.older_ids(id))]
    ids = _longest(asked, [_("older id"), _("retired on")], older) or _("No other id merged into this contact.")
    events = {
        "merge": _("merged into it"),
        "split": _("rows went to the other"),
        "steward_merge": _("joined to it by a steward"),
        "steward_split": _("parted from it by a steward"),
    }
    rows = [
        [
            row.business_on,
            row.contact_id,
            events[row.kind],
            row.other_id,
            asked.word(row.rule),
            figure(row.record_count),
        ]
        for row in asked.rows(ask.events(id))
    ]
    heads = [_("night"), _("contact that stays"), _("what happened"), _("other contact"), _("by"), _("rows moved")]
    return "\n\n".join([ids, _longest(asked, heads, rows) or _("It was never merged or split.")])


def _rules(asked: Asked, id: str) -> str:
    """Steward rules that nobody has lifted and that name a row of the contact. A pin's value is personal: it is left out."""
    _ = asked._
    mine = {row.record for row in asked.rows(ask.records(id))}
    rules = [rule for rule in rules_in_force(asked.house.engine) if mine & {rule.record_a, rule.record_b}]
    rows = [
        [rule.rule_id, _said(asked, rule), rule.record_a, rule.record_b or "-", rule.by, rule.reason,
         rule.recorded_on]
        for rule in reversed(rules)
    ]  # fmt: skip
    heads = [
        _("rule"),
        _("what it says"),
        _("row"),
        _("other row"),
        _("said by"),
        _("reason"),
        _("binds from the night of"),
    ]
    return _longest(asked, heads, rows) or _("No steward has ruled on its rows.")


def _said(asked: Asked, rule: Rule) -> str:
    _ = asked._
    links = {"must_link": _("same person"), "cannot_link": _("different people")}
    return links.get(rule.kind) or _("pins {field}").format(field=asked.word(rule.field))


def _provenance(asked: Asked, id: str) -> str:
    """The row that each value comes from; the values stand masked at the head of the page, or not at all."""
    _ = asked._
    why = {
        "pin": _("a steward pinned it"),
        "only": _("the only value"),
        "agreed": _("all rows agree"),
        "verified": _("it is verified"),
        "complete": _("it is more complete"),
        "stated": _("a source states it, the others follow from something else"),
        "trusted": _("its source is trusted more"),
        "frequent": _("more rows say so"),
        "longest": _("it is longer"),
        "recent": _("it is newer"),
    }
    policy = asked.decided_by("consolidate", "policy/survivorship")
    rows = [
        [asked.word(row.field), row.source, row.record_key, why[row.rule]] for row in asked.rows(ask.provenance(id))
    ]
    shown = table([_("field"), _("source"), _("row"), _("why it stands")], rows)
    if not shown:
        return _("No field has a value.")
    return f"{shown}\n\n{_('Decided by {files}.').format(files=policy)}"


def _company(asked: Asked, id: str) -> str:
    _ = asked._
    found = asked.rows(ask.company(id))
    if not found:
        return _("No source names a company.")
    company = found[0]
    place = " ".join(filter(None, [company.province, company.city if company.city != company.province else None]))
    facts = {
        _("company"): f"{company.name} ({company.company_id})",
        _("belongs to"): company.parent,
        _("role"): asked.word(company.role),
        _("industry"): company.industry,
        _("region"): place,
        _("employees"): None if company.employee_count is None else figure(company.employee_count),
        _("position"): company.job_title,
    }
    return "\n".join(f"- {name}: {value or '-'}" for name, value in facts.items())


def _bits(weight: int) -> str:
    """Thousandths of a bit as bits."""
    return f"{weight / BIT:.1f}"


def _longest(asked: Asked, heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A table of the first rows, and how many more there are; nothing of no rows."""
    shown = table(heads, rows[:LONGEST])
    if len(rows) <= LONGEST:
        return shown
    return shown + "\n\n" + asked._("And {count} more.").format(count=figure(len(rows) - LONGEST))
