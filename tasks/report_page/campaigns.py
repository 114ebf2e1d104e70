"""Campaigns on the page: what was sent, waits or was refused, what each campaign brought, the funnel, the monitored targets."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from tasks.report_page import Reader
from vesper.marts.campaign_effect import CAMPAIGN_EFFECT
from vesper.marts.funnel import STEPS
from vesper.marts.monitor import MONITOR
from vesper.model.outreach import Outreach, outreaches
from vesper.model.policy import MonitorPolicy, MonitorTarget
from vesper.night import Night
from vesper.watch import (
    ALREADY_PLANNED,
    campaigns_by_kind,
    funnel_of_all,
    messages_by_fate,
    of_tonight,
    refusals_by_reason,
)


@dataclass(frozen=True)
class MessageView:
    """Message intents so far, and the people of tonight's audiences who got none."""

    by_state: Counter[str]
    waiting_until: Any
    reasons: tuple[tuple[str, int], ...]

    @property
    def refused(self) -> int:
        """Who has had the campaign's message already is in the list of reasons, but was not refused."""
        return sum(people for reason, people in self.reasons if reason != ALREADY_PLANNED)

    @property
    def is_empty(self) -> bool:
        return not self.by_state and not self.reasons


@dataclass(frozen=True)
class CampaignView:
    """Effects tonight, the strongest response first; `kinds` adds them up by kind."""

    effects: tuple[Any, ...]
    kinds: tuple[Any, ...]
    own: dict[str, Outreach]

    def name(self, campaign_id: str, language: str) -> str:
        """What people call a campaign: its title where it is one of ours, else its id."""
        campaign = self.own.get(campaign_id)
        return campaign.title(language) if campaign else campaign_id

    @property
    def revenue(self) -> Any:
        """Credited to single campaigns; a person who responded to two at once counts in both."""
        return sum(effect.revenue for effect in self.effects)


@dataclass(frozen=True)
class TargetView:
    """One monitored target. The table holds the company's language; the definition, while it stands, has them all."""

    row: Any
    target: MonitorTarget | None

    def action(self, language: str) -> str:
        return self.target.action.of(language) if self.target else self.row.action

    def analysis(self, language: str) -> str:
        return self.target.analysis.of(language) if self.target else self.row.analysis


def read_messages(reader: Reader, night: Night) -> MessageView:
    """Refused are the people the plan left out tonight and the messages that were stopped on their way."""
    by_state: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    until = None
    for row in reader.rows(messages_by_fate()):
        by_state[row.state] += row.people
        if row.state == "refused":
            reasons[row.reason or row.state] += row.people
        elif row.state == "planned" and row.first_until and (until is None or row.first_until < until):
            until = row.first_until
    for row in reader.rows(refusals_by_reason(night)):
        reasons[row.reason] += int(row.people)
    by_state.pop("refused", None)
    return MessageView(by_state, until, tuple(sorted(reasons.items(), key=lambda item: (-item[1], item[0]))))


def read_campaigns(reader: Reader, night: Night) -> CampaignView:
    effects = reader.rows(of_tonight(CAMPAIGN_EFFECT, night))
    effects.sort(key=lambda row: (-(row.response_ratio or 0), -row.mailed_count, row.campaign_id))
    kinds = tuple(row for row in reader.rows(campaigns_by_kind(night)) if row.kind)
    return CampaignView(tuple(effects), kinds, outreaches(night.definitions))


def read_funnel(reader: Reader, night: Night) -> list[Any]:
    """The three steps of all cohorts together, in their order; none before anybody entered."""
    steps = sorted(reader.rows(funnel_of_all(night)), key=lambda row: STEPS.index(row.from_stage))
    return steps if steps and steps[0].entered_count else []


def read_monitor(reader: Reader, night: Night) -> list[TargetView]:
    """The monitored targets, missed ones first."""
    policies = night.definitions.of(MonitorPolicy).values()
    defined = {(each.flow, each.metric, each.period): each for policy in policies for each in policy.targets}
    rows = reader.rows(of_tonight(MONITOR, night))
    rows.sort(key=lambda row: (row.is_met is not False, row.is_met is None))
    return [TargetView(row, defined.get((row.flow, row.metric, row.period))) for row in rows]
