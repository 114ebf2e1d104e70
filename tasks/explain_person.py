"""A contact taken apart, in markdown: every line with the definition and the hash that decided it.

What belongs here: the sections of the answer and their words. What does not: finding out who is meant (`tasks/explain.py`), why source rows are one
contact (`tasks/explain_identity.py`), and the Selects (`vesper/explain.py`), which mask what is personal (R122).
"""

from collections import defaultdict
from typing import Any

import sqlalchemy as sa

from tasks.explain_asked import Asked, night_line, page, section, table
from tasks.explain_groups import tags_tiers_personas
from tasks.explain_handover import handovers
from tasks.explain_identity import identity_sections
from tasks.explain_lead import lead
from tasks.explain_matrix import matrices
from vesper import explain as ask
from vesper.language import Translate
from vesper.model.lifecycle import Lifecycle
from vesper.model.policy import ScoringPolicy
from vesper.model.scoring import RESERVED, ScoringRule
from vesper.model.segment import Segment
from vesper.send_person import GAP
from vesper.wording import figure
from warehouse.ledger.consent import current_consent
from warehouse.ledger.schema import ATTEMPT, MESSAGE, REFUSAL, SUPPRESSION


def about_person(asked: Asked, id: str, moved: str = "") -> str:
    """The whole page of a contact that stands in core__contact.

    Args:
        moved: what to say first of the older id that was asked for.
    """
    _ = asked._
    who = asked.rows(ask.person(id))[0]
    contents = matrices(asked, id)
    return page(
        f"{id} · {who.name or '-'}",
        *filter(None, [moved, night_line(asked)]),
        _who(asked, who),
        section(_("Source rows"), _source_rows(asked, id)),
        *identity_sections(asked, id),
        section(_("Score"), _score(asked, id)),
        section(_("Lifecycle"), _lifecycle(asked, id)),
        section(_("Lead"), lead(asked, id)),
        section(_("Hand-overs"), handovers(asked, id)),
        section(_("Tags, tiers and personas"), tags_tiers_personas(asked, id)),
        section(_("Segments"), _segments(asked, id)),
        section(_("Consent"), _consent(asked, id)),
        section(_("Campaigns of sources"), _mailings(asked, id)),
        *([section(_("Contents by matrix"), contents)] if contents else []),
        section(_("Messages"), _messages(asked, id)),
        section(_("Not written to"), _refusals(asked, id)),
    )


def _who(asked: Asked, who: Any) -> str:
    _ = asked._
    place = " ".join(filter(None, [who.province, who.city if who.city != who.province else None]))
    facts = {
        _("card"): who.card,
        _("phone"): who.phone,
        _("mail"): who.email,
        _("region"): place,
        _("known since"): f"{who.first_seen_on} ({who.first_source})",
        _("newest row arrived"): asked.time(who.updated_at),
    }
    return "\n".join(f"- {name}: {value or '-'}" for name, value in facts.items())


def _source_rows(asked: Asked, id: str) -> str:
    _ = asked._
    heads = [
        _("source"),
        _("row"),
        _("merged by"),
        _("registered"),
        _("arrived"),
        _("trust"),
        _("phone"),
        _("mail"),
        _("decided by"),
    ]
    rows = [
        [
            row.source,
            row.record_key,
            asked.word(row.rule),
            asked.time(row.registered_at),
            asked.time(row.received_at),
            figure(row.trust),
            asked.word(row.phone_status),
            asked.word(row.email_status),
            asked.decided_by("consolidate", f"sources/{row.source}"),
        ]
        for row in asked.rows(ask.source_rows(id))
    ]
    return table(heads, rows)


def _score(asked: Asked, id: str) -> str:
    _ = asked._
    found, reasons = asked.rows(ask.score(id)), asked.rows(ask.reasons(id))
    if not found:
        return _("No night has scored this contact yet.")
    score, total = found[0], sum(row.points or 0 for row in reasons)
    mql_at = asked.definitions("score").one(ScoringPolicy, "scoring").mql_at
    line = _("at or above") if score.score >= mql_at else _("below")
    before = _("none before") if score.previous_score is None else score.previous_score
    said = _(
        "**{score}**: {line} the MQL line of {mql_at}. Fit {fit}, engagement {engagement}. Yesterday: {before}."
    ).format(
        score=score.score,
        line=line,
        mql_at=mql_at,
        fit=score.fit_score,
        engagement=score.engagement_score,
        before=before,
    )
    said = " ".join(filter(None, [said, _preset(asked, score.mql_preset, score.is_mql)]))
    heads = [
        _("reason"),
        _("points"),
        _("yesterday"),
        _("facts"),
        _("first fact"),
        _("last fact"),
        _("what it says"),
        _("decided by"),
    ]
    rows = [[*_reason(asked, row), *_rule(asked, row.rule_id)] for row in reasons]
    rows.append([f"**{_('sum')}**", f"**{total}**", *[""] * 6])
    exact = [] if total == score.score else [_("The reasons do not sum to the score: report it with this page.")]
    return "\n\n".join([said, table(heads, rows), *exact])


def _preset(asked: Asked, preset: str | None, is_mql: bool) -> str:
    """What the preset of the decision made of the score (R54)."""
    _ = asked._
    if preset == "strict":
        if is_mql:
            return _("An MQL by the preset strict: the budget is clear and the decision maker was reached.")
        return _("No MQL by the preset strict, which asks for the score, a clear budget and a decision maker reached.")
    if preset == "score":
        return _("An MQL by the preset score.") if is_mql else _("No MQL by the preset score.")
    return ""


def _reason(asked: Asked, row: Any) -> list[str]:
    points = "-" if row.points is None else f"{row.points:+d}"
    previous = "-" if row.previous_points is None else f"{row.previous_points:+d}"
    return [
        row.rule_id,
        points,
        previous,
        figure(row.evidence_count),
        asked.time(row.first_at),
        asked.time(row.last_at),
    ]


def _rule(asked: Asked, rule_id: str) -> list[str]:
    """What a reason's rule says, and its file. Base, caps and clamp belong to the scale."""
    known = asked.definitions("score")
    if rule_id in RESERVED:
        says = known.one(ScoringPolicy, "scoring").says
        return [says.of(asked.language), asked.decided_by("score", "policy/scoring")]
    rule = known.of(ScoringRule).get(rule_id)
    return [rule.says.of(asked.language) if rule else "-", asked.decided_by("score", f"scoring/{rule_id}")]


def _lifecycle(asked: Asked, id: str) -> str:
    _ = asked._
    found = asked.rows(ask.lifecycle(id))
    if not found:
        return _("No night has given this contact a stage yet.")
    now, (lifecycle_id, _sep, stage_id) = found[0], found[0].rule_id.partition("/")
    lifecycle = asked.definitions("score").of(Lifecycle).get(lifecycle_id)
    stage = next((s for s in (lifecycle.stages or () if lifecycle else ()) if s.id == stage_id), None)
    title = stage.title(asked.language) if stage else now.stage
    file = lifecycle.preset if lifecycle and lifecycle.preset else lifecycle_id
    lines = [_("**{title}** ({stage}) since {at}").format(title=title, stage=now.stage, at=asked.time(now.entered_at))]
    if now.from_stage:
        lines.append(_("came from {stage} tonight").format(stage=now.from_stage))
    if stage:
        lines.append(stage.says.of(asked.language))
    lines.append(
        _("rule {rule}, decided by {file}").format(
            rule=now.rule_id, file=asked.decided_by("score", f"lifecycle/{file}")
        )
    )
    return "\n".join(f"- {line}" for line in lines)


def _segments(asked: Asked, id: str) -> str:
    _ = asked._
    known = asked.definitions("segment").of(Segment)
    rows = []
    for row in asked.rows(ask.segments(id)):
        title = known[row.segment_id].title(asked.language) if row.segment_id in known else row.segment_id
        since = figure(row.entered_on) if row.entered_on else _("left tonight")
        rows.append([title, row.segment_id, since, asked.decided_by("segment", f"segments/{row.segment_id}")])
    return table([_("segment"), _("id"), _("entered on"), _("decided by")], rows) or _("In no segment.")


def _consent(asked: Asked, id: str) -> str:
    """The night's copy, and beside it what the ledger says now: a refusal since the cut-off already binds."""
    _ = asked._
    hashes: dict[str, list[str]] = defaultdict(list)
    for row in asked.rows(ask.addresses(id)):
        hashes[row.channel].append(row.address_hash)
    now, kept_out = _consent_now(asked, hashes)
    rows = [
        [
            row.channel,
            row.purpose,
            _granted(row.is_granted, _),
            asked.time(row.at),
            row.source,
            row.text_version or "-",
            _granted(now.get((row.channel, row.purpose)), _),
            asked.word(kept_out.get(row.channel)),
        ]
        for row in asked.rows(ask.consents(id))
    ]
    heads = [
        _("channel"),
        _("purpose"),
        _("at the cut-off"),
        _("said at"),
        _("source"),
        _("version of the text"),
        _("now"),
        _("suppressed"),
    ]
    return table(heads, rows) or _("No statement: no marketing message may go to this contact.")


def _consent_now(asked: Asked, hashes: dict[str, list[str]]) -> tuple[dict[tuple[str, str], bool], dict[str, str]]:
    """By channel and purpose whether every address consents now; by channel why one of them is suppressed."""
    every = [hashed for some in hashes.values() for hashed in some]
    now: dict[tuple[str, str], bool] = {}
    held = current_consent().subquery("held")
    for row in asked.ledger(sa.select(held).where(held.c.address_hash.in_(every))):
        if row.address_hash in hashes[row.channel]:
            now[row.channel, row.purpose] = now.get((row.channel, row.purpose), True) and row.is_granted
    kept_out = asked.ledger(sa.select(SUPPRESSION).where(SUPPRESSION.c.address_hash.in_(every)))
    return now, {row.channel: row.reason for row in kept_out}


def _granted(is_granted: bool | None, _: Translate) -> str:
    return "-" if is_granted is None else _("granted") if is_granted else _("refused consent")


def _mailings(asked: Asked, id: str) -> str:
    _ = asked._
    rows = [
        [row.campaign_id, row.kind or "-", figure(row.mailed_on), asked.time(row.responded_at)]
        for row in asked.rows(ask.mailings(id))
    ]
    return table([_("campaign"), _("kind"), _("mailed on"), _("responded")], rows) or _(
        "No campaign of a source reached this contact."
    )


def _messages(asked: Asked, id: str) -> str:
    _ = asked._
    tries = sa.select(sa.func.count()).where(ATTEMPT.c.message_id == MESSAGE.c.message_id).scalar_subquery()
    query = sa.select(MESSAGE, tries.label("tries")).where(MESSAGE.c.contact_id == id)
    rows = [
        [
            row.message_id,
            row.campaign_id,
            row.channel,
            asked.word(row.state),
            asked.word(row.reason),
            asked.time(row.planned_at),
            asked.time(row.sending_at or row.not_before),
            figure(row.tries),
            asked.decided_by("send", f"campaigns/{row.campaign_id}"),
        ]
        for row in asked.ledger(query.order_by(MESSAGE.c.planned_at, MESSAGE.c.message_id))
    ]
    heads = [
        _("message"),
        _("campaign"),
        _("channel"),
        _("state"),
        _("reason"),
        _("planned at"),
        _("sent or due"),
        _("attempts"),
        _("decided by"),
    ]
    return table(heads, rows) or _("No message was planned for this contact.")


def _refusals(asked: Asked, id: str) -> str:
    _ = asked._
    query = sa.select(REFUSAL).where(REFUSAL.c.contact_id == id)
    rows = [
        [
            figure(row.business_on),
            row.campaign_id,
            f"{asked.word(row.reason)}: {row.detail}" if row.reason == GAP else asked.word(row.reason),
            asked.decided_by("send", f"campaigns/{row.campaign_id}"),
        ]
        for row in asked.ledger(query.order_by(REFUSAL.c.business_on.desc(), REFUSAL.c.campaign_id))
    ]
    return table([_("night"), _("campaign"), _("reason"), _("decided by")], rows) or _(
        "No campaign passed this contact over."
    )
