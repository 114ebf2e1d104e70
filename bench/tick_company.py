"""A company on the live clock that answers forms: its contacts, a journey that sends a paper to whoever asks, and forms in its inbox.

What belongs here: the workspace and what people ask of it. What does not: measuring (`tick.py`). Nothing of it can reach a person: the workspace is
not production and its mail server is the loopback sink.
"""

import csv
import datetime as dt
import os
from collections.abc import Iterator
from pathlib import Path

from vesper.clock import cutoff_at, now, today
from vesper.load import read_workspace
from warehouse.house import House
from warehouse.ledger.inbox import Arrival

SETTINGS = """[company]
name = "A company that answers"
language = "en"
zone = "{zone}"
{more}"""
LIFECYCLE = """says: Stages.
owner: marketing
stages:
  - {id: customer, says: Somebody who redeemed., when: {events: {kind: coupon_redeemed, at_least: 1}}}
  - {id: prospect, says: Everybody else., when: {always: {}}}
"""
CRM = """says: Members.
owner: data
system: csv
path: "crm_member/{on}.csv"
feeds: contact
cadence: {every: irregular}
late: warn
rows: {min: 0, max: 10000000, drop_ratio: 1}
trust: 80
key: [member_id]
fields:
  member_id: {column: member_id, type: text, required: true}
  name: {column: name, type: text}
  email: {column: email, type: text}
  registered_at: {column: registered_at, type: instant, required: true}
"""
CONTENT = """says: The paper.
owner: marketing
messages:
  en:
    subject: The paper that you asked for
    text: |
      {{ name or 'Hello' }}, here it is.
      {{ unsubscribe_url }}
"""
JOURNEY = """says: Who asks for the paper gets it.
owner: marketing
series: Paper
state: full
brief:
  persona: Readers
  message: Here is the paper
  cta: {what: read it, benefit: know more}
  stages: [prospect, customer]
  timing: at once
  goal: 20 % answer
purpose: requested
max_people: 1000000
starts_on: 2020-01-01
ends_on: 2099-12-31
entry: {event: {kind: form_submitted}}
reentry: each
goal: {happened: {event: {kind: coupon_redeemed}}}
steps:
  - {id: paper, owner: marketing, within: 5m, send: {content: paper}}
examples:
  - happens: [{on: day 1, kind: form_submitted}]
    expect: [{on: day 1, step: paper, gets: paper}]
"""


def daytime_zone() -> str:
    """A zone where it is eleven o'clock now, so that no quiet hours keep a message back. The sign is the other way round in these names."""
    ahead = (11 - now().hour + 11) % 24 - 11
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"


def made(root: Path, contacts: int, more: str = "") -> Path:
    """The workspace, its definitions in force, and a night that published so many contacts."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "vesper.toml").write_text(SETTINGS.format(zone=daytime_zone(), more=more), encoding="utf-8")
    shipped = Path(__file__).resolve().parent.parent / "definitions" / "sources"
    texts = {
        "lifecycle/main": LIFECYCLE,
        "sources/crm_member": CRM,
        "content/paper": CONTENT,
        "journeys/paper": JOURNEY,
    }
    texts |= {
        f"sources/{id}": (shipped / f"{id}.yml").read_text(encoding="utf-8") for id in ("vesper_form", "vesper_inbox")
    }
    for name, text in texts.items():
        file = root / "definitions" / f"{name}.yml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    house = House.open(root)
    house.activate_files("bench")
    house.close()
    if contacts:
        _night(root, contacts)
    return root


def _night(root: Path, contacts: int) -> None:
    """Last night: contacts come, and the stages up to the score publish them."""
    from tasks.night import directly, run_night

    on = today(daytime_zone()) - dt.timedelta(days=1)
    folder = read_workspace(root).landing / "crm_member"
    folder.mkdir(parents=True)
    file = folder / f"{on}.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["member_id", "name", "email", "registered_at"])
        rows.writerows([f"m{n}", f"Person {n}", f"person{n}@example.com", "2020-01-01 10:00"] for n in range(contacts))
    arrived = (cutoff_at(on, daytime_zone()) - dt.timedelta(hours=1)).replace(tzinfo=dt.UTC).timestamp()
    os.utime(file, (arrived, arrived))
    run_night(directly, root, on, False, ("consolidate", "measure", "score"))


def forms(count: int, contacts: int, first: int = 0) -> Iterator[Arrival]:
    """Forms as they come: half of people who are known, half of strangers."""
    for n in range(first, first + count):
        known = contacts and n % 2
        email = f"person{n % contacts}@example.com" if known else f"stranger{n}@example.com"
        yield Arrival("paper", str(n), "form_submitted", now(), {"email": email, "name": f"Person {n}"})
