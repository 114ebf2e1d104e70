"""The ledger under any interleaving: workers that claim, begin, send, settle, are killed, stopped and resumed, while people leave and ops stop.

Hypothesis chooses the steps; the ledger is real, and so are the locks by which the dead are known. The invariants are those of the notes on channels:
I1 one wire call for each fence and one mail for each message, I2 conservation, I3 unknown within the wires of the dead, I4 the ledger and the
server agree, I5 nobody who left is begun, I6 caps in every window, I10 planning again changes nothing.
"""

import datetime as dt
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.send.company import hashed
from tests.send.machinery import LIMITS, START, STATES, Worker, all_of, put, row
from tests.send.test_limits import most_in_a_window
from vesper.clock import now
from warehouse.ledger.claim import Wanted, claim, release
from warehouse.ledger.consent import insert_new, suppress
from warehouse.ledger.dispatch import Begun, Result, Terms, settle, step
from warehouse.ledger.engine import open_ledger
from warehouse.ledger.outbox import Due
from warehouse.ledger.reconcile import Rules, reconcile
from warehouse.ledger.schema import MESSAGE, TOUCH
from warehouse.ledger.send_stop import scope_of, set_stopped
from warehouse.ledger.session import Session
from warehouse.ledger.worker import recover

CAMPAIGNS, CONTACTS, WORKERS = "ab", ("c1", "c2", "c3"), 2
HOUR = dt.timedelta(hours=1)
LEASE = dt.timedelta(minutes=20)
workers = st.integers(0, WORKERS - 1)
ANSWERS = ("accepted", "rejected", "deferred", "accepted_silently", "lost")


@dataclass
class Hand:
    """A worker as the machine sees it: what it claimed, what it has on the wire, what it has not settled yet."""

    worker: Worker
    claimed: list[Due] = field(default_factory=list)
    wire: tuple[Due, Begun] | None = None
    result: Result | None = None

    @property
    def open(self) -> bool:
        """Whether a kill now would leave a message unknown."""
        return self.wire is not None or self.result is not None


class Sending(RuleBasedStateMachine):
    """Two campaigns, three people, two workers with one connection each."""

    engine: sa.Engine
    store: Path

    def __init__(self) -> None:
        super().__init__()
        self.session = Session(self.engine)
        self.plan = [row(a, c) for a in CAMPAIGNS for c in CONTACTS] + [row("d", c, priority=1) for c in CONTACTS]
        put(self.engine, self.plan)
        self.jump, self.played = dt.timedelta(), START
        self.hands: list[Hand] = []
        self.server: Counter[str] = Counter()
        self.calls: Counter[tuple[str, int]] = Counter()
        self.left: set[str] = set()
        self.stopped = False
        self.paused: set[str] = set()

    def clock(self) -> dt.datetime:
        return now() + self.jump

    def terms(self, hand: Hand) -> Terms:
        return Terms(hand.worker.id, LIMITS, clock=self.clock)

    def teardown(self) -> None:
        for hand in self.hands:
            hand.worker.leave()
        self.session.close()

    @initialize()
    def hire(self) -> None:
        self.hands = [Hand(Worker(self.engine, self.store)) for _ in range(WORKERS)]

    # what workers do ---------------------------------------------------------------------------------------------------

    @rule(which=workers, steps=st.integers(1, 6), answers=st.lists(st.sampled_from(ANSWERS), min_size=3, max_size=3))
    def works(self, which: int, steps: int, answers: list[str]) -> None:
        """So many steps of a worker's own loop; it may be interrupted after any of them."""
        hand = self.hands[which]
        for _ in range(steps):
            if hand.wire is not None:
                self.call(hand, answers.pop() if answers else "accepted")
            elif hand.claimed:
                self.begin(hand)
            elif hand.result is not None:
                self.settle(hand)
            else:
                self.claim(hand, 3)

    @rule(which=workers)
    def settles_early(self, which: int) -> None:
        if self.hands[which].result is not None:
            self.settle(self.hands[which])

    @rule(which=workers)
    def gives_back(self, which: int) -> None:
        hand = self.hands[which]
        release(self.session, hand.worker.id)
        hand.claimed = []

    def claim(self, hand: Hand, limit: int) -> None:
        wanted = Wanted("email", self.played, limit)
        found = claim(self.session, hand.worker.id, wanted, self.clock() + LEASE)
        assert not {message.campaign_id for message in found} & self.paused
        hand.claimed += found

    def begin(self, hand: Hand) -> None:
        """Settles what it has and begins the next in one transaction, as a worker does."""
        message = hand.claimed.pop(0)
        _, begun = step(self.session, hand.result, message, self.played, self.terms(hand))
        hand.result = None
        if isinstance(begun, Begun):
            assert message.contact_id not in self.left, "I5"
            assert not self.stopped
            assert message.campaign_id not in self.paused
            hand.wire = (message, begun)

    def call(self, hand: Hand, answer: str) -> None:
        """`accepted_silently`: the server took it and its answer was lost; `lost`: neither."""
        assert hand.wire is not None
        message, begun = hand.wire
        hand.wire = None
        self.calls[message.message_id, message.fence] += 1
        if answer.startswith("accepted"):
            self.server[message.message_id] += 1
        kind: Any = "unknown" if answer in ("accepted_silently", "lost") else answer
        hand.result = Result(message, begun, kind, "250" if kind == "accepted" else "451")

    def settle(self, hand: Hand) -> None:
        assert hand.result is not None
        settle(self.session, hand.result, self.terms(hand))
        hand.result = None

    # what happens to them ----------------------------------------------------------------------------------------------

    @rule(which=workers)
    def is_killed(self, which: int) -> None:
        recover(self.engine, self.store, self.clock())
        before = self.count("unknown")
        hand = self.hands[which]
        was_open = hand.open
        hand.worker.die()
        recover(self.engine, self.store, self.clock())
        assert self.count("unknown") - before <= was_open  # I3
        self.hands[which] = Hand(Worker(self.engine, self.store))

    @rule(is_reconciled=st.booleans(), which=workers, steps=st.integers(0, 6))
    def all_are_stopped_past_their_leases(self, is_reconciled: bool, which: int, steps: int) -> None:
        """SIGSTOP: nobody is dead, everybody is given up. One notices and asks anew; the others go on later as if nothing had been."""
        other = (which + 1) % WORKERS
        self.works(other, 1, [])
        recover(self.engine, self.store, self.clock() + HOUR)
        if is_reconciled:
            self.reconcile(self.clock() + HOUR)
        self.hands[which].claimed = []
        self.works(which, steps, [])
        self.works(other, steps, [])

    @rule(hours=st.sampled_from((-1, 1)))
    def the_clock_jumps(self, hours: int) -> None:
        """Leases lapse, or last longer; whoever was slow is now a worker that was given up."""
        self.jump += hours * HOUR
        recover(self.engine, self.store, self.clock())

    @rule(hours=st.integers(0, 30))
    def time_passes(self, hours: int) -> None:
        self.played += hours * HOUR

    @rule()
    def is_reconciled(self) -> None:
        self.reconcile(self.clock())

    def reconcile(self, at: dt.datetime) -> None:
        """With the server's own list as evidence, whole and at once; of the living it proves nothing."""
        shown = dict.fromkeys(self.server, at)
        everything = Rules(shown, lambda _c, _at: True, lambda _id: False, dt.timedelta(), "truth")
        reconcile(self.engine, everything, at)

    # what people do ----------------------------------------------------------------------------------------------------

    @rule(contact=st.sampled_from(CONTACTS))
    def leaves(self, contact: str) -> None:
        suppress(self.engine, "email", hashed("email", f"{contact}@example.com"), "unsubscribed", START)
        self.left.add(contact)

    @rule(which=workers, steps=st.integers(1, 4))
    def sending_is_stopped_for_a_while(self, which: int, steps: int) -> None:
        set_stopped(self.engine, "ops", "x", True)
        self.stopped = True
        self.works(which, steps, [])
        set_stopped(self.engine, "ops", "x", False)
        self.stopped = False

    @rule(campaign=st.sampled_from(CAMPAIGNS))
    def a_campaign_is_paused_or_resumed(self, campaign: str) -> None:
        self.paused ^= {campaign}
        set_stopped(self.engine, "ops", "x", campaign in self.paused, scope_of(campaign))

    @rule()
    def is_planned_again(self) -> None:
        """I10: a second run of the night."""
        before = all_of(self.engine)
        with self.engine.begin() as connection:
            assert insert_new(connection, MESSAGE, self.plan) == 0
        assert all_of(self.engine) == before

    # what always holds -------------------------------------------------------------------------------------------------

    def count(self, state: str) -> int:
        return sum(message.state == state for message in all_of(self.engine))

    @invariant()
    def one_call_for_each_fence_and_one_mail_for_each_message(self) -> None:
        assert max(self.calls.values(), default=0) <= 1
        assert max(self.server.values(), default=0) <= 1

    @invariant()
    def nothing_is_lost_from_the_books(self) -> None:
        states = Counter(message.state for message in all_of(self.engine))
        assert set(states) <= set(STATES)
        assert states.total() == len(self.plan)

    @invariant()
    def the_ledger_and_the_server_agree(self) -> None:
        states = {message.message_id: message.state for message in all_of(self.engine)}
        assert {id for id, state in states.items() if state == "accepted"} <= set(self.server)
        held = {hand.result.message.message_id for hand in self.hands if hand.result}
        assert {id for id in self.server if states[id] not in ("accepted", "unknown")} <= held

    @invariant()
    def no_window_holds_more_than_the_cap(self) -> None:
        touched = {touch.message_id for touch in all_of(self.engine, TOUCH)}
        went: dict[str, list[dt.datetime]] = defaultdict(list)
        for message in all_of(self.engine):
            if message.state in ("sending", "accepted", "unknown"):
                assert message.message_id in touched
                went[message.contact_id].append(message.sending_at)
        for times in went.values():
            assert most_in_a_window(times, 24 * HOUR) <= 2


def play(engine: sa.Engine, store: Path, examples: int, steps: int) -> None:
    machine = type("Machine", (Sending,), {"engine": engine, "store": store})
    run_state_machine_as_test(
        machine, settings=settings(max_examples=examples, stateful_step_count=steps, deadline=None)
    )


@pytest.mark.slow
@pytest.mark.requirement("R86", "R90", "R108")
def test_invariants_on_sqlite(tmp_path: Path) -> None:
    engine = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}", "normal")
    play(engine, tmp_path, 40, 50)
    engine.dispose()


@pytest.mark.slow
@pytest.mark.requirement("R86", "R90", "R108")
def test_invariants_on_postgresql(postgres_server: str, tmp_path: Path) -> None:
    from tests.send.conftest import _emptied

    engine = open_ledger(_emptied(postgres_server))
    play(engine, tmp_path, 8, 40)
    engine.dispose()
