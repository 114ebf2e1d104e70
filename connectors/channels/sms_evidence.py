"""Evidence of short messages: their provider is asked about each message of unknown fate, by its number and its day.

What belongs here: asking. What does not: the calls (`aliyun_sms.py`, `tencent_sms.py`), what follows (`warehouse/ledger/reconcile.py`).
A provider whose records show every message it took proves by silence that it did not take one; Tencent's do not.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connectors.channels import ChannelUnreachable
from connectors.channels.aliyun_sms import Aliyun
from connectors.channels.door import Door, NoAnswer, NotReached
from connectors.channels.evidence import Asked, Evidence, Nothing, SinkFolder
from connectors.channels.sms import door_to, may_open, provider_of
from connectors.channels.tencent_sms import Tencent
from vesper.clock import now
from vesper.model.channel import LOOPBACK
from vesper.model.workspace import Workspace

KEPT_FOR = dt.timedelta(days=29)
"""Providers keep their records for thirty days."""


@dataclass(frozen=True)
class Said:
    """What a provider said of the messages asked about. `told` are the calls of which it would show everything."""

    where: str
    taken: Mapping[str, dt.datetime]
    told: frozenset[dt.datetime]

    def shown(self) -> Mapping[str, dt.datetime]:
        """See Evidence."""
        return self.taken

    def covers(self, since: dt.datetime) -> bool:
        """See Evidence: only for the very calls that were asked about and answered."""
        return since in self.told


def sms_evidence(workspace: Workspace, asked: Sequence[Asked]) -> Evidence:
    """What the provider of a workspace knows of some messages; a provider that cannot be asked has said nothing."""
    if workspace.sms.provider == LOOPBACK:
        return SinkFolder(workspace.store / "sink")
    if not asked:
        return Nothing()
    try:
        may_open(workspace)
        provider = provider_of(workspace.sms)
    except ChannelUnreachable:
        return Nothing()
    with door_to(workspace.sms.endpoint or provider.address) as door:
        return _said(provider, door, workspace.sms.provider, asked)


def _said(provider: Aliyun | Tencent, door: Door, name: str, asked: Sequence[Asked]) -> Said:
    taken: dict[str, dt.datetime] = {}
    told: set[dt.datetime] = set()
    silent: set[dt.datetime] = set()
    until = now()
    for one in asked:
        found = None if until - one.called_at > KEPT_FOR else _of(provider, door, one, until)
        taken |= {one.message_id: found[one.message_id]} if found and one.message_id in found else {}
        (silent if found is None or not provider.shows_all else told).add(one.called_at)
    return Said(f"{name} sms", taken, frozenset(told - silent))


def _of(provider: Aliyun | Tencent, door: Door, one: Asked, until: dt.datetime) -> dict[str, dt.datetime] | None:
    """What is known of one number since the call, a day of clocks that differ before it included."""
    try:
        return provider.taken(door, one.address, one.called_at - dt.timedelta(minutes=10), until)
    except (NotReached, NoAnswer):
        return None
