"""The company of `bench/day.py`: who its people are, its journeys, and the night before, on the live clock.

What belongs here: the workspace and its night. What does not: what people do during the day (`day_people.py`), what ought to come of it
(`day_simulated.py`).

The journeys are Vesper's own presets, word for word, but for their waits: three days and seven days are one minute, and what is counted from the
night before (seven days for an answer to an offer, ten for a demonstration) ends MARGIN minutes after the day begins. No clock is patched. The
company has caps, but no hours of sending, so that the bench says the same whenever it is run.
"""

import csv
import datetime as dt
import math
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.tick_company import daytime_zone
from vesper.clock import cutoff_at, now, today
from vesper.load import read_workspace
from vesper.presets import preset_text
from warehouse.house import House

JOURNEYS = ("coupon_after_view", "paper_after_form", "large_reader_demo", "upgrade_offer")
CONTENTS = ("coupon_given", "coupon_reminder", "paper", "case_study", "paper_again", "demo_invitation", "upgrade_offer")
STAGES = ("consolidate", "measure", "score", "segment", "send")
MARGIN = 2
"""Minutes from writing the definitions to the end of the waits that a night began: the night itself takes the first of them."""
LARGE = "large_paper_readers"
SETTINGS = """[company]
name = "A company for a day"
language = "en"
zone = "{zone}"

[mail]
server = "{mail}"
test_addresses = [{addresses}]

[intake]
address = "http://127.0.0.1:{port}"
port = {port}
"""
LIFECYCLE = """says: Stages.
owner: marketing
stages:
  - {id: customer, says: Somebody who ordered., when: {orders: {at_least: 1}}}
  - {id: prospect, says: Everybody else., when: {always: {}}}
"""
FREQUENCY = "says: Caps.\nowner: marketing\ncaps: {all_channels: {touches: 2, within: 24h}}\n"
POOL = "says: Coupons.\nowner: marketing\nmade: {count: 500, prefix: VIEW}\nwarn_below: 0\n"
CONTENT = """says: {id}.
owner: marketing
messages:
  en:
    subject: About {id}
    text: |
      {{{{ name or 'Hello' }}}}, this is {id}.
      Read it: https://www.example.com/{id}/read
      See more: https://www.example.com/{id}/more
      {{{{ unsubscribe_url }}}}
"""
FORM = """says: Who wants the paper.
owner: marketing
fields: {email: {required: true}, name: {}}
least_seconds: 0
"""
SEGMENT = """says: Large companies that asked for the paper twice (S3, table 3).
owner: marketing
members:
  all:
    - company: {field: employee_count, at_least: 500}
    - events: {kind: form_submitted, at_least: 2, within: 90d}
examples:
  - {given: {company: {employee_count: 499}}, member: false}
"""
SOURCE = """says: {id}.
owner: data
system: csv
path: "{id}/{{on}}.csv"
feeds: {feeds}
{more}cadence: {{every: irregular}}
late: warn
rows: {{min: 0, max: 100000, drop_ratio: 0}}
trust: 80
key: [{key}]
fields:
"""
TYPES = {"employee_count": "integer", "quantity": "integer", "amount": "money", "consent_email": "flag"}
REQUIRED = ("crm_id", "account_id", "order_id", "product_code", "event_id", "kind")


@dataclass(frozen=True)
class Feed:
    """One source of the night before: what it feeds, and its columns; the first `keys` of them are its key."""

    feeds: str
    columns: Sequence[str]
    keys: int = 1
    more: str = ""


FEEDS = {
    "crm_account": Feed("company", ("account_id", "name", "employee_count"), more="crm: crm\n"),
    "crm_contact": Feed(
        "contact",
        ("crm_id", "card", "name", "email", "account_id", "company", "registered_at", "consent_email", "consent_at"),
        more="crm: crm\n",
    ),
    "erp_order": Feed("order_line", ("order_id", "product_code", "card", "quantity", "amount", "ordered_at"), keys=2),
    "old_form": Feed("event", ("event_id", "kind", "at", "email")),
}


@dataclass(frozen=True)
class Person:
    """Somebody of the company's day. `group` says what they do in it; strangers are in no file."""

    number: int
    group: str
    is_known: bool = True
    consents: bool = True
    is_large: bool = False
    orders: int = 0

    @property
    def email(self) -> str:
        return f"{self.group.replace('_', '.')}.{self.number}@example.com"

    @property
    def stage(self) -> str:
        """Where LIFECYCLE puts them."""
        return "customer" if self.orders else "prospect"


def source_text(id: str, feed: Feed) -> str:
    """The text of a source: every column feeds the field of its name."""
    head = SOURCE.format(id=id, feeds=feed.feeds, key=", ".join(feed.columns[: feed.keys]), more=feed.more)
    lines = []
    for name in feed.columns:
        kind = "instant" if name.endswith("at") else TYPES.get(name, "text")
        needed = name in REQUIRED or (kind == "instant" and name != "consent_at") or name in ("quantity", "amount")
        if name == "kind":
            kind = "category, allowed: [form_submitted]"
        lines.append(f"  {name}: {{column: {name}, type: {kind}{', required: true' if needed else ''}}}")
    return head + "\n".join(lines) + "\n"


def journey_text(id: str, on: dt.date, minutes: int) -> str:
    """A preset in state full with short waits. `minutes` is how long a wait that the night of `on` begins takes."""
    text = preset_text("journeys", id) or ""
    text = text[: text.index("examples:")] + "examples: [{expect: []}]\n"
    by_night = id in ("large_reader_demo", "upgrade_offer")
    short = f"{minutes}m" if by_night else "1m"
    changes = {"wait: 3d": f"wait: {short}", "at_most: 7d": f"at_most: {short}", "at_most: 10d": f"at_most: {short}"}
    changes |= {"state: draft": "state: full", "starts_on: 2018-01-01": f"starts_on: {on}"}
    changes |= {"ends_on: 2018-12-31": "ends_on: 2099-12-31"}
    for old, new in changes.items():
        text = text.replace(old, new)
    return re.sub(r"stages: \[.*\]", "stages: [prospect, customer]", text)


def texts_of(on: dt.date, minutes: int) -> dict[str, str]:
    """Every definition of the company by its name, sources aside."""
    texts = {f"journeys/{id}": journey_text(id, on, minutes) for id in JOURNEYS}
    texts |= {f"content/{id}": CONTENT.format(id=id) for id in CONTENTS}
    return texts | {"coupons/view_coupon": POOL, f"segments/{LARGE}": SEGMENT, "policy/frequency": FREQUENCY}


def made(root: Path, people: Sequence[Person], mail: str, port: int) -> tuple[dt.date, dict[str, str]]:
    """The workspace with its definitions in force, and the night before, which sends; gives that night and the definitions' texts."""
    root.mkdir(parents=True)
    zone = daytime_zone()
    addresses = ", ".join(f'"{one.email}"' for one in people)
    settings = SETTINGS.format(zone=zone, mail=mail, addresses=addresses, port=port)
    (root / "vesper.toml").write_text(settings, encoding="utf-8")
    on = today(zone) - dt.timedelta(days=1)
    minutes = math.ceil((now() - cutoff_at(on, zone)).total_seconds() / 60) + MARGIN
    texts = texts_of(on, minutes)
    shipped = {f"sources/{id}": preset_text("sources", id) or "" for id in ("vesper_form", "vesper_inbox")}
    sources = {f"sources/{id}": source_text(id, feed) for id, feed in FEEDS.items()}
    for name, text in {**texts, **shipped, **sources, "lifecycle/main": LIFECYCLE, "forms/paper": FORM}.items():
        file = root / "definitions" / f"{name}.yml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    house = House.open(root)
    house.activate_files("bench")
    house.close()
    _night(root, people, on, zone)
    return on, texts


def _night(root: Path, people: Sequence[Person], on: dt.date, zone: str) -> None:
    from tasks.night import directly, run_night

    arrived = (cutoff_at(on, zone) - dt.timedelta(hours=1)).replace(tzinfo=dt.UTC).timestamp()
    for id, rows in _rows(people, on).items():
        file = read_workspace(root).landing / id / f"{on}.csv"
        file.parent.mkdir(parents=True)
        with file.open("w", encoding="utf-8", newline="") as out:
            lines = csv.writer(out)
            lines.writerow(FEEDS[id].columns)
            lines.writerows(rows)
        os.utime(file, (arrived, arrived))
    run_night(directly, root, on, True, STAGES)


def _rows(people: Iterable[Person], on: dt.date) -> dict[str, list[list[object]]]:
    known = [one for one in people if one.is_known]
    return {
        "crm_account": [["a1", "Small Company", 20], ["a2", "Large Company", 800]],
        "crm_contact": [_contact(one) for one in known],
        "erp_order": [row for one in known for row in _orders(one, on)],
        "old_form": [row for one in known if one.is_large for row in _forms(one, on)],
    }


def _contact(one: Person) -> list[object]:
    company = ("a2", "Large Company") if one.is_large else ("a1", "Small Company")
    consent = "yes" if one.consents else "no"
    told = [f"m{one.number}", f"card{one.number}", f"Person {one.number}", one.email]
    return [*told, *company, "2020-01-01 10:00", consent, "2020-01-01 10:00"]


def _orders(one: Person, on: dt.date) -> Iterator[list[object]]:
    for place in range(one.orders):
        day = on - dt.timedelta(days=10 + 20 * place)
        yield [f"o{one.number}-{place}", "p1", f"card{one.number}", 1, "10.00", f"{day} 10:00"]


def _forms(one: Person, on: dt.date) -> Iterator[list[object]]:
    for place in range(2):
        day = on - dt.timedelta(days=3 + 17 * place)
        yield [f"f{one.number}-{place}", "form_submitted", f"{day} 10:00", one.email]
