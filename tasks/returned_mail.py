"""The mailbox that mail comes back to: a Maildir whose new mails are read once.

What belongs here: going through it. What does not: reading a mail (`connectors/channels/returned.py`), what follows of it
(`warehouse/ledger/provider.py`). A mail moves from `new` to `cur` when what it says is committed; one that is read twice is kept once.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from connectors.channels.returned import returned
from vesper.address import address_hash
from vesper.clock import now
from vesper.model.outreach import outreaches
from vesper.provider_event import Fact
from warehouse.house import House
from warehouse.ledger.provider import CHANNEL, keep_facts

PROVIDER = "returned_mail"
LARGEST = 2 * 2**20
BATCH = 200
DAY = dt.timedelta(days=1)


def take_returned(house: House) -> Counter[str]:
    """Read what came back: how many mails by kind, those that say nothing to a program under `other`."""
    mail = house.workspace.mail
    counts: Counter[str] = Counter()
    if not mail.returned:
        return counts
    folder = house.workspace.root / mail.returned
    for files in _batches(folder / "new"):
        facts = [_read(file) for file in files]
        _keep(house, [fact for fact in facts if fact])
        for file in files:
            (folder / "cur").mkdir(exist_ok=True)
            file.rename(folder / "cur" / f"{file.name.partition(':')[0]}:2,S")
        counts.update(fact.kind if fact else "other" for fact in facts)
    return counts


def _keep(house: House, facts: list[Fact]) -> None:
    series = {id: one.series for id, one in outreaches(house.definitions).items()}
    keep_facts(
        house.engine,
        PROVIDER,
        facts,
        lambda address: address_hash(house.address_key, CHANNEL, address),
        series.get,
        house.binds_on() - DAY,
    )


def _read(file: Path) -> Fact | None:
    """A mail that is too large to be a report says nothing; what is returned with it stands behind the report."""
    with file.open("rb") as mail:
        return returned(mail.read(LARGEST), now())


def _batches(folder: Path) -> Iterator[list[Path]]:
    files = sorted(file for file in folder.glob("*") if file.is_file()) if folder.is_dir() else []
    for start in range(0, len(files), BATCH):
        yield files[start : start + BATCH]
