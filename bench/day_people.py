"""What people do in the day of `bench/day.py`: they look, ask, click, redeem, leave; colleagues close tasks.

What belongs here: who does what when, and doing it as it comes in from outside: forms, clicks on the links of the mails and an unsubscribe over
HTTP to the web app; looks and redemptions as rows of the inbox, as a shop's server brings them; a task closed as `vesper task close` does. What
does not: what ought to come of it (`day_simulated.py`).
"""

import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default
from http import HTTPStatus
from pathlib import Path
from typing import Any

import requests
import sqlalchemy as sa

from bench.day_company import Person
from tasks.nurture import close_task
from vesper.clock import now
from vesper.send import message_id
from warehouse.ledger.engine import reading
from warehouse.ledger.inbox import Arrival, append
from warehouse.ledger.journey_schema import NURTURE_TASK
from warehouse.ledger.schema import MESSAGE

PATIENCE_SECONDS = 90
LEAVES = re.compile(rb"^List-Unsubscribe: (.*?)\r?\n(?=\S)", re.MULTILINE | re.DOTALL)
CLICKS = re.compile(r"http://127\.0\.0\.1:\d+/c/[A-Za-z0-9_.~-]+")
LINKS = 2
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
LONG, SHORT = 150, 119
"""Seconds of a look: the preset asks for 120."""
GROUPS: dict[str, dict[str, Any]] = {
    "looks": {},
    "looks_and_redeems": {},
    "looks_shortly": {},
    "looks_without_consent": {"consents": False},
    "asks_and_clicks_twice": {},
    "asks_and_clicks_once": {},
    "asks": {},
    "asks_and_leaves": {},
    "asks_and_is_scanned": {},
    "asks_and_looks": {},
    "stranger_asks": {"is_known": False, "consents": False},
    "stranger_clicks_twice": {"is_known": False, "consents": False},
    "large_demo_closed": {"is_large": True},
    "large_no_answer": {"is_large": True},
    "ordered_and_clicks": {"orders": 3},
    "ordered": {"orders": 3},
    "ordered_twice": {"orders": 2},
}
ANSWERED = dict.fromkeys(
    ("asks_and_clicks_twice", "asks_and_clicks_once", "asks_and_leaves", "stranger_clicks_twice"),
    ("paper_after_form", "paper"),
) | {"ordered_and_clicks": ("upgrade_offer", "offer")}
"""Who answers a letter: of which journey, and of which step."""
SCANNED = "asks_and_is_scanned"
READING_SECONDS = 4.0
"""Nobody clicks sooner after a mail was taken than this; a scanner on the mail's way does (`vesper/machine.py`)."""


def everybody(each: int) -> list[Person]:
    """So many people of each group, each with a number of their own."""
    return [
        Person(place * each + number, group, **traits)
        for place, (group, traits) in enumerate(GROUPS.items())
        for number in range(1, each + 1)
    ]


@dataclass
class Town:
    """The people at work on a running company."""

    root: Path
    engine: sa.Engine
    sink: Path
    people: Sequence[Person]
    address: str
    """Of the web app."""
    contacts: Callable[[], dict[str, str]]
    """Contact ids by mail address, as the company knows them by now."""

    def of(self, *groups: str) -> list[Person]:
        """The people of some groups."""
        return [one for one in self.people if one.group in groups]

    def morning(self) -> None:
        """Everybody looks at a page, or asks for the paper."""
        self._arrive(
            "page_viewed", self.of("looks", "looks_and_redeems", "looks_without_consent", "asks_and_looks"), LONG
        )
        self._arrive("page_viewed", self.of("looks_shortly"), SHORT)
        groups = [group for group in GROUPS if group.startswith(("asks", "stranger"))]
        for one in self.of(*groups):
            said = {"email": one.email, "name": f"Person {one.number}"}
            requests.post(f"{self.address}/f/paper", json=said, timeout=30).raise_for_status()

    def answers(self) -> None:
        """Once their letters lie in the sink: scanners at once; then clicks, redemptions, an unsubscribe, and colleagues close their tasks."""
        known = self.contacts()
        for one in self.of(SCANNED):
            self._answered(one, known[one.email], "paper_after_form", "paper")
        going = [(one, *ANSWERED[one.group]) for one in self.of(*ANSWERED)]
        for one, journey, step in going:
            self._letter(message_id(journey, known[one.email], step))
        time.sleep(READING_SECONDS)
        for one, journey, step in going:
            self._answered(one, known[one.email], journey, step)
        self._arrive("coupon_redeemed", self.of("looks_and_redeems"))
        with reading(self.engine) as connection:
            open_now = {row.contact_id: row.task_id for row in connection.execute(sa.select(NURTURE_TASK))}
        for one in self.of("large_demo_closed"):
            close_task(self.root, open_now[known[one.email]], "sales", "the demonstration was held")

    def _answered(self, one: Person, contact_id: str, journey: str, step: str) -> None:
        id = message_id(journey, contact_id, step)
        letter = self._letter(id)
        if one.group == "asks_and_leaves":
            self._leave(letter)
            return
        plain = message_from_bytes(letter.read_bytes(), policy=default).get_body(("plain",))
        links = sorted(set(CLICKS.findall(plain.get_content() if plain else "")))
        assert len(links) == LINKS, f"the letter has {len(links)} links, not {LINKS}"
        for there in links[: 2 if "twice" in one.group else 1]:
            answer = requests.get(there, headers={"User-Agent": BROWSER}, allow_redirects=False, timeout=30)
            assert answer.status_code == HTTPStatus.FOUND, f"a link answers {answer.status_code}"

    def _letter(self, id: str) -> Path:
        """The mail of a message, once the server has it."""
        over_at = time.monotonic() + PATIENCE_SECONDS
        while not (found := list(self.sink.glob(f"{id}*.eml"))):
            if time.monotonic() > over_at:
                raise TimeoutError(f"{id} never came: {self._state(id)}")
            time.sleep(0.1)
        return found[0]

    def _state(self, id: str) -> Any:
        with reading(self.engine) as connection:
            chosen = sa.select(MESSAGE.c.campaign_id, MESSAGE.c.step_id, MESSAGE.c.state, MESSAGE.c.reason)
            return connection.execute(chosen.where(MESSAGE.c.message_id == id)).first()

    def _leave(self, letter: Path) -> None:
        """What a mail program does with its button: it posts to the address in the mail's header (RFC 8058)."""
        found = LEAVES.search(letter.read_bytes())
        address = re.search(rb"<(https?://[^>]+)>", found[1] if found else b"")
        assert address, "the letter has no address to unsubscribe at"
        there = re.sub(rb"\s", b"", address[1]).decode()
        requests.post(there, data={"List-Unsubscribe": "One-Click"}, timeout=30).raise_for_status()

    def _arrive(self, kind: str, people: Iterable[Person], seconds: int | None = None) -> None:
        for one in people:
            said = {"email": one.email, "name": f"Person {one.number}"}
            self._append(kind, one.email, said if seconds is None else said | {"duration_seconds": seconds})

    def _append(self, kind: str, id: str, said: dict[str, Any] | None = None, **whose: str) -> None:
        arrival = Arrival(f"day_{kind}", id, kind, now(), said or {}, **whose)
        with self.engine.begin() as connection:
            append(connection, arrival)
