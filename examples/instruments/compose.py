"""The landing folder of the instruments maker: every source's files by day, each with the time it arrived.

Run twice, it writes the same bytes; when nothing changed, it does nothing.
"""

import argparse
import csv
import datetime as dt
import hashlib
import json
import shutil
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from examples.grocer.write import Landing
from examples.instruments import companies, crm, people, sales, story, web
from examples.instruments.calendar import FIRST, HISTORY, arrival, days
from examples.instruments.record import ACCOUNT, BANT, COLUMNS, CONTACT, HOTLINE, SOURCES, Record

SEED = 84
MARKER = "composed.json"
JSON_LINES = ("web_form", "web_event", "mail_event")
WORKBOOKS = {HOTLINE: "来电", BANT: "BANT"}
DAILY = ("web_event", "mail_event", HOTLINE)
"""Sources of which every day has a file, an empty one too."""

Files = Mapping[tuple[str, dt.date], Sequence[Record]]


def compose(root: Path, *, size: int | None = None, since: dt.date = FIRST, seed: int = SEED) -> None:
    """Fill `<root>/.vesper/landing` and `<root>/.vesper/truth`.

    Args:
        size: about so many companies, the first ones of each place; None is all of them. The named people of story.py are always there.
        since: leave out the files of the days before it, but for the histories.
        seed: another seed makes other people.
    """
    store = root / ".vesper"
    wanted = {"size": size, "since": since.isoformat(), "seed": seed, "composer": _version()}
    marker = store / MARKER
    if marker.is_file() and json.loads(marker.read_text(encoding="utf-8")) == wanted:
        return
    marker.unlink(missing_ok=True)
    for source in SOURCES:
        shutil.rmtree(store / "landing" / source, ignore_errors=True)
    records = [one for one in all_records(size, seed) if one.on >= since or one.on == HISTORY]
    _land(Landing(store / "landing", arrival), _files(records, since))
    _write_truth(store / "truth", records)
    marker.write_text(json.dumps(wanted) + "\n", encoding="utf-8")


def all_records(size: int | None, seed: int) -> list[Record]:
    """Every row of every source."""
    firms = companies.everyone(seed, size)
    persons = people.everyone(seed, firms)
    online = list(web.behaviour(persons, seed))
    return [
        *crm.accounts(firms, seed),
        *crm.contacts(persons, seed),
        *crm.orders(persons, seed),
        *online,
        *web.damaged(online),
        *web.monitor(),
        *sales.telephone(persons, seed),
        *story.steps(),
    ]


def _files(records: Iterable[Record], since: dt.date) -> Files:
    """Rows by source and day, in the order in which they came about; days of daily sources without a row are there too."""
    found: dict[tuple[str, dt.date], list[Record]] = defaultdict(list)
    for one in records:
        found[one.source, one.on].append(one)
    for source in DAILY:
        for on in days(since):
            found.setdefault((source, on), [])
    return {place: sorted(rows, key=lambda one: (one.at, one.key)) for place, rows in sorted(found.items())}


def _land(landing: Landing, files: Files) -> None:
    for (source, on), records in files.items():
        rows = [dict(one.cells) for one in records]
        if source in JSON_LINES:
            landing.jsonl(source, on, rows)
        elif source in WORKBOOKS:
            landing.xlsx(source, on, COLUMNS[source], rows, WORKBOOKS[source])
        else:
            landing.csv(source, on, COLUMNS[source], rows, _encoding(source, on))
    for source in sorted({source for source, _on in files}):
        landing.label(source, HISTORY)


def _encoding(source: str, on: dt.date) -> str:
    """The CRM's history was exported by an older version than the files after it."""
    return "gb18030" if source in (ACCOUNT, CONTACT) and on == HISTORY else "utf-8-sig"


def _write_truth(folder: Path, records: Iterable[Record]) -> None:
    """`people.csv`: which row of which source is of whom. Never a source."""
    folder.mkdir(parents=True, exist_ok=True)
    whose = sorted({(one.source, one.key, one.person) for one in records if one.person})
    with (folder / "people.csv").open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(("source", "key", "person"))
        writer.writerows(whose)


def _version() -> str:
    """A fingerprint of the composer itself, so that a changed composer composes anew."""
    modules = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(module.read_bytes() for module in modules)).hexdigest()[:16]


def main() -> None:
    """`python -m examples.instruments [workspace]`."""
    parser = argparse.ArgumentParser(description="Compose the landing folder of the instruments maker.")
    parser.add_argument("root", type=Path, nargs="?", default=Path(__file__).parent)
    parser.add_argument("--size", type=int, help="so many companies, about")
    parser.add_argument("--since", type=dt.date.fromisoformat, default=FIRST)
    parser.add_argument("--seed", type=int, default=SEED)
    chosen = parser.parse_args()
    compose(chosen.root, size=chosen.size, since=chosen.since, seed=chosen.seed)


if __name__ == "__main__":
    main()
