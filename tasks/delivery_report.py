"""What one delivery did: counts, and a sentence for each thing that a person should look at.

What belongs here: the report of one run of one or more senders. What does not: sending (`send_worker.py`), the state of the ledger.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from vesper.language import Translate
from warehouse.ledger.outbox import Standing
from warehouse.ledger.worker import Recovered


@dataclass
class DeliveryReport:
    """What one delivery did, in messages. `recovered` is what workers before it left behind; `problems` ended a connection early."""

    outcomes: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    postponed: Counter[str] = field(default_factory=Counter)
    withheld: Counter[str] = field(default_factory=Counter)
    recovered: Recovered = field(default_factory=Recovered)
    is_stopped: bool = False
    paused: Counter[str] = field(default_factory=Counter)
    held_until: dt.datetime | None = None
    problems: list[str] = field(default_factory=list)

    @property
    def problem(self) -> str | None:
        """The first thing that ended a connection."""
        return self.problems[0] if self.problems else None

    def add(self, other: "DeliveryReport") -> None:
        """Take in what another sender of the same run did."""
        for name in ("outcomes", "refused", "postponed", "withheld", "paused"):
            getattr(self, name).update(getattr(other, name))
        self.is_stopped = self.is_stopped or other.is_stopped
        self.held_until = max(filter(None, (self.held_until, other.held_until)), default=None)
        self.problems += [problem for problem in other.problems if problem not in self.problems]

    def warnings(self, _: Translate) -> list[str]:
        """One sentence for each thing that a person should look at."""
        lines = [
            _("{sentence} Messages that wait for it: {count}.").format(sentence=s, count=c)
            for s, c in sorted(self.withheld.items())
        ]
        if self.recovered.unknown:
            lines.append(
                _(
                    "Messages on the wire when an earlier run ended: {count}. They are unknown and never sent again by themselves."
                ).format(count=self.recovered.unknown)
            )
        lines += [
            _("{id} is paused; messages that wait: {count}.").format(id=id, count=count)
            for id, count in sorted(self.paused.items())
        ]
        if self.is_stopped:
            lines.append(_("Sending is stopped; every message waits until it is resumed."))
        if self.held_until:
            said = _("The server asked for a pause; the rest waits until {at} UTC.")
            lines.append(said.format(at=f"{self.held_until:%Y-%m-%d %H:%M}"))
        return [*lines, *self.problems]

    def facts(self, standing: Iterable[Standing], titles: Mapping[str, str]) -> dict[str, Any]:
        """Figures for a stage's report: what became of the messages of this run, and every message by campaign and state (R113).

        Args:
            titles: what people call campaigns and journeys, by id.
        """
        counted = {kind: self.outcomes[kind] for kind in ("accepted", "rejected", "deferred")}
        table = [
            {
                "campaign": titles.get(s.campaign_id, s.campaign_id),
                "state": s.state,
                "reason": s.reason,
                "people": s.people,
                "waits_until": s.next_at,
            }
            for s in standing
        ]
        return counted | {
            "unknown": self.outcomes["unknown"] + self.recovered.unknown,
            "refused_at_sending": dict(sorted(self.refused.items())),
            "postponed": dict(sorted(self.postponed.items())),
            "messages": table,
        }
