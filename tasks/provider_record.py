"""Whom a provider is asked about: messages of unknown fate with the addresses that they went to.

What belongs here: finding those addresses, which only the lake has. What does not: asking (`connectors/channels/sms_evidence.py`), verdicts
(`warehouse/ledger/reconcile.py`). An address that is not the one that the message went to any more is not asked about.
"""

from collections.abc import Mapping, Sequence

from connectors.channels.evidence import Asked
from tasks.inbox import bind_now
from tasks.letters import Look, address_on
from vesper.address import AddressKey, address_hash
from vesper.recipient import recipients_of
from vesper.tables.company import COMPANY
from warehouse.house import House
from warehouse.ledger.reconcile import Doubt, doubts
from warehouse.runner import Runner

CHANNELS = ("sms",)
"""Channels whose provider is asked message by message."""


def asked_by_channel(house: House) -> Mapping[str, Sequence[Asked]]:
    """Channel -> what to ask its provider."""
    unknown = [doubt for doubt in doubts(house.engine) if doubt.channel in CHANNELS]
    if not unknown:
        return {}
    with Runner(house.lake) as runner:
        bind_now(house, runner, house.night(house.business_on()))
        runner.bind_snapshot(COMPANY, house.lake.in_force(COMPANY.name))
        found = asked_of(unknown, lambda ids: runner.rows(recipients_of(ids)), house.address_key)
    return {channel: found[channel] for channel in CHANNELS}


def asked_of(unknown: Sequence[Doubt], look: Look, key: AddressKey) -> dict[str, list[Asked]]:
    """The same from whatever knows the people."""
    people = {row.contact_id: row for row in look({doubt.contact_id for doubt in unknown})}
    found: dict[str, list[Asked]] = {channel: [] for channel in CHANNELS}
    for doubt in unknown:
        address = address_on(doubt.channel, people.get(doubt.contact_id))
        if address and address_hash(key, doubt.channel, address) == doubt.address_hash:
            found[doubt.channel].append(Asked(doubt.message_id, address, doubt.called_at))
    return found
