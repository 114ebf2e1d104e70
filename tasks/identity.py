"""Identity of a night: who is one person, and by which id. Links, clusters, ids, aliases, events (R5, R6, R13).

What belongs here: the order of the steps. What does not: the Selects (`vesper/identity`), the evidence (`identity_evidence.py`), the clusters
(`warehouse/clusters.py`). A night resolves only the components that tonight's rows touch, whole, and equals a full rebuild that has the history;
another policy, linkage or scale of it is a full rebuild.
"""

import hashlib
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from tasks.bench import Bench
from tasks.identity_evidence import DATED, JUDGED, Evidence, Scored, evidence
from vesper.clock import on as date_literal
from vesper.identity import change, ids, keys, membership, near
from vesper.identity.clusters import ClusterRules
from vesper.inbox import FORM, provisional
from vesper.language import translator
from vesper.model.identity import IdentityPolicy, KeyName
from vesper.model.linkage import Linkage, population
from vesper.stage_report import CheckResult, StageFailed
from vesper.tables.contact import CONTACT_MEMBER, SOURCE_RECORD
from vesper.tables.declare import empty, previous
from vesper.tables.identity import (
    CONTACT_ALIAS,
    IDENTITY_COMPONENT,
    IDENTITY_LINK,
    IDENTITY_NIGHT,
    IDENTITY_REVIEW,
    IDENTITY_VETO,
    MERGE_EVENT,
    SHARED_KEY,
)
from vesper.tables.raw import raw_name
from warehouse.arrays import flags, texts, to_numbers
from warehouse.clusters import components, partition
from warehouse.ledger.runs import vesper_version
from warehouse.runner import Runner

NAME, NAME_KEY = "name", "name_key"
FEWEST_MERGES = 10
"""Merges that no night is stopped for: a tenth of ten contacts is one person who came twice."""
LARGE = 500
"""Rows of a component above which each name is compared once: a big contact has thousands of rows and few names."""


def resolve(
    bench: Bench,
    policy: IdentityPolicy,
    linkage: Linkage | None = None,
    is_full: bool = False,
    score: Scored | None = None,
    same: sa.Table | None = None,
) -> None:
    """Fill the tables of identity from core__source_record, which is filled before.

    Args:
        linkage: the trained linkage that the policy names; None where only keys link.
        is_full: resolve every row anew. The result is the same; only the work differs.
        score: how pairs are weighed; Splink where it is missing.
        same: ids that vendors say are one person (`vendor.same_person`).
    """
    rules = _steward_rules(bench)
    if same is not None and not bench.scalar(sa.select(sa.func.count()).select_from(same)):
        same = None
    live = bench.scalar(sa.select(sa.func.count()).select_from(SOURCE_RECORD).where(keys.live(SOURCE_RECORD)))
    version = _version(policy, linkage, live, same is not None)
    anew = is_full or (linkage is not None and linkage.has_friends) or _version_before(bench) != version
    seen = evidence(bench, policy, linkage, rules, anew, score or partial(_splink, bench, live), same)
    bench.fill(SHARED_KEY, sa.select(seen.shared))
    _fill_links(bench, seen)
    scope = _scope(bench, policy, seen)
    settings = linkage.clusters if linkage else policy.clusters
    label, component, veto = _clustered(bench, policy, seen, scope, ClusterRules(**settings.model_dump()))
    bench.fill(IDENTITY_VETO, membership.vetoes(veto, scope.all_rows, seen.steward))
    given = _fill_contacts(bench, seen, scope, label, component)
    bench.keep_night(IDENTITY_NIGHT, membership.night_figures(version, bench.business_on, live, given, scope.contact))
    _judge_merges(bench, policy)
    for name in [name for name in bench.runner.bound if name.startswith("identity_")]:
        bench.runner.forget(name)


def _fill_links(bench: Bench, seen: Evidence) -> None:
    """All links of tonight, or those that were found anew in the place of those that they stand for."""
    if seen.dropped is None:
        bench.fill(IDENTITY_LINK, sa.select(seen.link))
    else:
        touched = bench.materialize(near.link_keys(seen.dropped, seen.link), "identity_link_touched")
        bench.patch(IDENTITY_LINK, sa.select(seen.link), touched)


def _splink(
    bench: Bench, live: int, runner: Runner, records: sa.Table, linkage: Linkage, fresh: str | None
) -> pa.Table:
    """Weights by the model that Splink trained, as they are among so many live rows."""
    from warehouse.linkage import NotTrained, scored  # a night without a linkage never loads that room

    try:
        return scored(runner, records, linkage, fresh, live)
    except NotTrained as error:
        _ = translator(bench.house.workspace.company.language)
        said = _("linkage/{id} has no weights yet; train it with `vesper train linkage {id}`, then put it in force.")
        if error.lacking:
            said = _(
                "linkage/{id} has no weight for {level}, since it changed after its training; train it again with `vesper train linkage {id}`, "
                "then put it in force."
            )
        failed = StageFailed(said.format(id=linkage.id, level=error.lacking), bench.report)
    raise failed


def _steward_rules(bench: Bench) -> sa.Table:
    """The steward's rules in force, which the ledger's copy holds where the night has one."""
    rule = membership.STEWARD_RULE
    return rule if rule.name in bench.runner.bound else bench.materialize(empty(rule), "identity_no_rule")


def _version(policy: IdentityPolicy, linkage: Linkage | None, live: int, has_vendors: bool) -> str:
    """Hash of all that a link's weight or a cluster depends on besides the rows, Vesper's own version included."""
    content = policy.model_dump_json(exclude={"name", "says", "owner", "most_merged_ratio"})
    scale = (linkage.version, population(live)) if linkage else None
    return hashlib.sha256(repr((content, scale, has_vendors, vesper_version())).encode()).hexdigest()[:16]


def _version_before(bench: Bench) -> str | None:
    """The version that the night before stands on; None of no night before."""
    before = previous(IDENTITY_NIGHT)
    last = sa.select(before.c.version).order_by(before.c.business_on.desc()).limit(1)
    found = bench.scalar(last)
    return str(found) if found is not None else None


@dataclass(frozen=True)
class _Scope:
    """What is resolved anew.

    Attributes:
        contact: (contact_id) of the night before that tonight touches.
        before: (record, contact_id) of their rows.
        source: core__source_record rows that are resolved, or all of them.
        record: (record, name_key, ...) alive that is resolved.
        all_rows: (record) of both, alive or gone.
        link: links between rows that are resolved.
    """

    contact: sa.Table
    before: sa.Table
    source: sa.Table
    record: sa.Table
    all_rows: sa.Table
    link: sa.Table


def _scope(bench: Bench, policy: IdentityPolicy, seen: Evidence) -> _Scope:
    if seen.record is not None:
        before = bench.materialize(membership.memberships(previous(CONTACT_MEMBER)), "identity_member_before")
        contact = bench.materialize(sa.select(before.c.contact_id).distinct(), "identity_contact_touched")
        return _Scope(contact, before, SOURCE_RECORD, seen.record, _rows(bench, seen.record, before), seen.link)
    assert seen.touched is not None
    was = previous(CONTACT_MEMBER)
    touched = bench.materialize(near.row_keys(seen.touched), "identity_touched_key")
    member = membership.memberships(near.rows(was, touched).subquery()).subquery()
    contacts = change.touched_contacts(seen.touched, member, previous(IDENTITY_COMPONENT))
    contact = bench.materialize(contacts, "identity_contact_touched")
    before = bench.materialize(change.rows_of(contact, membership.memberships(was).subquery()), "identity_row_before")
    every = sa.union(sa.select(seen.touched.c.record), sa.select(before.c.record)).subquery()
    single = [column for name in _single(policy) for column in policy.columns_of(name)]
    asked = [NAME_KEY, *single, *JUDGED, *DATED, "excluded_by"]
    source = bench.materialize(near.rows(SOURCE_RECORD, near.row_keys(every).subquery(), asked), "identity_source")
    record = bench.materialize(membership.live_rows([NAME_KEY], source), "identity_row")
    link = bench.materialize(change.links_within(IDENTITY_LINK, record), "identity_link_within")
    return _Scope(contact, before, source, record, _rows(bench, record, before), link)


def _rows(bench: Bench, record: sa.Table, before: sa.Table) -> sa.Table:
    both = sa.union(sa.select(record.c.record), sa.select(before.c.record))
    return bench.materialize(both, "identity_row_any")


def _clustered(
    bench: Bench, policy: IdentityPolicy, seen: Evidence, scope: _Scope, rules: ClusterRules
) -> tuple[sa.Table, sa.Table, sa.Table]:
    """(record, label, is_review), (record, component) and (record_a, record_b, rule, is_final) of the rows that are resolved."""
    must = frozenset(name for name, key in policy.keys.items() if key.strength == "authority") | {membership.STEWARD}
    records = bench.runner.arrow(sa.select(scope.record.c.record))["record"]
    links = bench.runner.arrow(sa.select(scope.link))
    is_must = to_numbers(pc.is_in(links["rule"], texts(sorted(must)))) == 1
    ties = is_must | (to_numbers(links["weight"]) >= rules.keep)
    tied = components(records, links.filter(flags(ties)))
    component = _bound(bench, "identity_component", tied, "record", "component")
    veto = bench.materialize(_vetoes(bench, policy, scope, component), "identity_veto")
    cannot, unlike = (bench.runner.arrow(select) for select in membership.pairs_against(veto, seen.steward))
    found = partition(records, links, must, cannot, unlike, rules)
    return _bound(bench, "identity_label", found, "record", "label", "is_review"), component, veto


def _vetoes(bench: Bench, policy: IdentityPolicy, scope: _Scope, component: sa.Table) -> Any:
    """What speaks against each other inside a component: two values of an id that a person has once, and names that cannot be one person's."""
    member = bench.materialize(membership.named(component, scope.record, LARGE), "identity_named")
    return sa.union(
        membership.as_veto(membership.unlike_pairs(member), NAME, is_final=False),
        *_second_values(bench, policy, scope, component),
    )


def _second_values(bench: Bench, policy: IdentityPolicy, scope: _Scope, component: sa.Table) -> list[sa.Select[Any]]:
    """Rows with two values of an id that a person has once, unless a steward said that both are one person's (R104)."""
    single = _single(policy)
    if not single:
        return []
    held = bench.materialize(keys.identifiers(scope.source, policy, kinds=single), "identity_single")
    said = sa.select(scope.link).where(scope.link.c.rule == membership.STEWARD).subquery("said")
    one_person = bench.materialize(keys.reconciled(held, said), "identity_reconciled")
    return [
        membership.as_veto(keys.two_values(held, component, name, one_person), name, is_final=True) for name in single
    ]


def _single(policy: IdentityPolicy) -> list[KeyName]:
    """Keys of which a person has one."""
    return [name for name, key in policy.keys.items() if key.is_single]


def _bound(bench: Bench, name: str, rows: pa.Table, *columns: str) -> sa.Table:
    """Rows from Python, readable under a name."""
    bench.runner.bind_arrow(name, rows)
    kinds = [sa.Boolean() if column.startswith("is_") else sa.String() for column in columns]
    return sa.Table(name, sa.MetaData(), *[sa.Column(c, kind) for c, kind in zip(columns, kinds, strict=True)])


def _fill_contacts(bench: Bench, seen: Evidence, scope: _Scope, label: sa.Table, component: sa.Table) -> sa.Table:
    """Ids of the clusters, then everything that names a contact. Gives (label, contact_id)."""
    on = bench.business_on
    known = membership.known_since(scope.source).subquery("known")
    plain = ids.Touched(label, scope.before, previous(CONTACT_ALIAS), previous(CONTACT_MEMBER), known)
    touched = _with_provisional(bench, plain)
    overlap = bench.materialize(ids.overlaps(touched), "identity_overlap")
    pairs = [(row.label, row.contact_id) for row in bench.rows(ids.contested(overlap))]
    chosen = ids.matched(pairs)
    settled = pa.table({name: texts([one[name] for one in chosen]) for name in ("label", "contact_id")})
    contested = _bound(bench, "identity_settled", settled, "label", "contact_id")
    given = bench.materialize(ids.contact_ids(touched, overlap, contested, on), "identity_contact")
    flow = bench.materialize(ids.flows(touched, given), "identity_flow")
    gone = bench.materialize(ids.retired(touched, given, flow), "identity_gone")
    members = membership.members(label, given, scope.link)
    if seen.touched is None:
        bench.fill(CONTACT_MEMBER, members)
    else:
        bench.patch(
            CONTACT_MEMBER, members, bench.materialize(near.row_keys(scope.all_rows), "identity_member_touched")
        )
    bench.fill(IDENTITY_REVIEW, membership.reviews(label, given, scope.contact))
    bench.fill(IDENTITY_COMPONENT, membership.tied_components(label, given, component, scope.contact))
    bench.fill(CONTACT_ALIAS, ids.aliases(touched, given, gone, on))
    if touched is not plain:  # that a form's contact turned out to be somebody known is no merge of two golden contacts
        flow = bench.materialize(ids.flows(plain, given), "identity_flow_of_golden")
        gone = bench.materialize(ids.retired(plain, given, flow), "identity_gone_golden")
    bench.keep_night(MERGE_EVENT, ids.merge_events(plain, given, flow, gone, scope.link, seen.steward, on))
    return given


def _with_provisional(bench: Bench, touched: ids.Touched) -> ids.Touched:
    """With the ids under which people of tonight's forms were known since they came; the same where there are none."""
    raw = bench.tables.get(raw_name(FORM))
    if raw is None or "contact_id" not in raw.c:
        return touched
    found = bench.materialize(provisional(raw, touched.label, touched.member), "identity_provisional")
    if not bench.scalar(sa.select(sa.func.count()).select_from(found)):
        return touched
    both = sa.union_all(sa.select(touched.before.c.record, touched.before.c.contact_id), sa.select(found))
    return replace(touched, before=bench.materialize(both, "identity_row_before_or_provisional"))


def _judge_merges(bench: Bench, policy: IdentityPolicy) -> None:
    """Stop the gate where a night merges more contacts than the policy allows: a key gone wrong looks like that."""
    table = IDENTITY_NIGHT
    tonight = bench.records(sa.select(table).where(table.c.business_on == date_literal(bench.business_on)))[0]
    merged, ratio = tonight["merged_count"], tonight["merged_ratio"]
    passed = merged <= FEWEST_MERGES or ratio <= policy.most_merged_ratio
    seen = f"{merged} of {tonight['contact_count_before']}"
    bench.report.checks.append(
        CheckResult(table.name, "merged_share", None, passed, "critical", None if passed else merged, seen)
    )
    bench.report.facts |= {"merged_contacts": merged, "split_contacts": tonight["split_count"]}
