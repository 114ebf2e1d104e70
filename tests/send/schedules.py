"""Schedules of many workers that send at once: two flows, eight workers, one person, fifty candidate messages (R86).

What belongs here: playing schedules and counting what reached whom, for the test and for `bench/caps.py`. What does not: how many are enough.

A schedule is what the ledger can tell apart: the order of transactions, their instants and what servers answered. On SQLite transactions run one
after the other by its own lock, so that a schedule drawn at random is a permutation of the workers' transactions: who works next, how much it
claims, in which order it takes that, what the server answers, when time passes and who dies are drawn. On PostgreSQL they really run side by
side, in threads, and the machine draws the schedule. People stand side by side in one ledger: each of them sees a schedule of their own.
"""

import datetime as dt
import random
import threading
from collections import Counter, defaultdict
from dataclasses import dataclass

import sqlalchemy as sa

from tests.send.machinery import LIMITS, START, all_of, put, row
from tests.send.test_limits import most_in_a_window
from vesper.clock import now
from warehouse.ledger.claim import Wanted, claim
from warehouse.ledger.dispatch import Begun, Result, Terms, settle, step
from warehouse.ledger.outbox import Due
from warehouse.ledger.schema import ATTEMPT, MESSAGE, TOUCH
from warehouse.ledger.session import Session

FLOWS, WORKERS, MESSAGES, CAP = ("coupon", "win_back"), 8, 50, 2
DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)
ANSWERS = ("accepted", "accepted", "unknown", "rejected", "deferred")
MAY_HAVE_GONE = ("accepted", "unknown", "sending")


@dataclass(frozen=True)
class Seen:
    """What schedules came to: how many messages may have reached each person, and the people whom more than the cap did in some 24 hours."""

    reached: Counter[str]
    over_cap: frozenset[str]

    @property
    def messages(self) -> int:
        return sum(self.reached.values())


def candidates(contact_id: str, chance: random.Random) -> list[dict[str, object]]:
    """Fifty messages of two flows to one person, in an order of their own; occurrences tell those of a flow apart."""
    order = chance.sample(range(MESSAGES), MESSAGES)
    return [
        row(
            FLOWS[n % 2],
            contact_id,
            message_id=f"{order[n]:02}-{chance.getrandbits(80):020x}",
            occurrence=n,
            priority=200 + chance.randrange(4),
            expires_at=START + chance.choice((12 * HOUR, 12 * HOUR, 12 * HOUR, 40 * HOUR)),
        )
        for n in range(MESSAGES)
    ]


def fill(engine: sa.Engine, people: int, chance: random.Random) -> None:
    """A ledger with the candidates of so many people, and nothing else."""
    put(engine, [one for number in range(people) for one in candidates(f"c{number}", chance)])


def reset(engine: sa.Engine) -> None:
    """The same messages, as nothing had happened."""
    fresh = {"state": "planned", "not_before": START, "fence": 0, "attempts": 0, "sending_at": None, "owner": None}
    with engine.begin() as connection:
        connection.execute(sa.delete(TOUCH))
        connection.execute(sa.delete(ATTEMPT))
        connection.execute(sa.update(MESSAGE).values(**fresh))


def seen(engine: sa.Engine) -> Seen:
    """What the ledger says of every message; its touches must say the same."""
    went: dict[str, list[dt.datetime]] = defaultdict(list)
    for message in all_of(engine):
        if message.state in MAY_HAVE_GONE:
            went[message.contact_id].append(message.sending_at)
    counted = Counter({contact_id: len(times) for contact_id, times in went.items()})
    assert Counter(touch.contact_id for touch in all_of(engine, TOUCH)) == counted
    return Seen(counted, frozenset(id for id, times in went.items() if most_in_a_window(times, DAY) > CAP))


class Player:
    """One of the eight workers, played step by step."""

    def __init__(self, number: int) -> None:
        self.terms = Terms(f"w{number}", LIMITS)
        self.claimed: list[Due] = []
        self.result: Result | None = None

    def play(self, session: Session, at: dt.datetime, chance: random.Random) -> bool:
        """Its next transaction; False when it finds nothing to do. A worker may die of it: then it forgets everything."""
        if self.claimed:
            message = self.claimed.pop()
            _, begun = step(session, self.result, message, at, self.terms)
            self.result = None
            if isinstance(begun, Begun):
                self.result = Result(message, begun, chance.choice(ANSWERS))  # type: ignore[arg-type]
        elif self.result is not None:
            settle(session, self.result, self.terms)
            self.result = None
        else:
            self.claimed = claim(
                session, self.terms.worker_id, Wanted("email", at, chance.randint(1, 400)), now() + HOUR
            )
            chance.shuffle(self.claimed)
            return bool(self.claimed)
        if chance.random() < 0.0005:
            self.claimed, self.result = [], None
        return True


def permuted(engine: sa.Engine, schedules: int, seed: int) -> Seen:
    """As many people as schedules side by side, the workers' transactions in an order that is drawn."""
    chance = random.Random(seed)
    fill(engine, schedules, chance)
    players, at, idle = [Player(number) for number in range(WORKERS)], START, 0
    with Session(engine) as session:
        while idle < 4 * WORKERS:
            idle = 0 if chance.choice(players).play(session, at, chance) else idle + 1
            if idle > 2 * WORKERS and at < START + 3 * DAY:
                at, idle = at + chance.choice((HOUR, 5 * HOUR, DAY)), 0
    return seen(engine)


def side_by_side(engine: sa.Engine, people: int, seed: int) -> Seen:
    """Eight threads at once, all at one instant, on a ledger that `fill` or `reset` left."""
    gate = threading.Barrier(WORKERS)
    errors: list[BaseException] = []

    def work(number: int) -> None:
        chance = random.Random(seed * WORKERS + number)
        terms, share = Terms(f"w{number}", LIMITS), people * MESSAGES // WORKERS + 1
        try:
            with Session(engine) as session:
                mine = claim(session, terms.worker_id, Wanted("email", START, share), now() + HOUR)
                gate.wait(30)
                result = None
                for message in chance.sample(mine, len(mine)):
                    _, begun = step(session, result, message, START, terms)
                    result = Result(message, begun, "accepted") if isinstance(begun, Begun) else None
                if result is not None:
                    settle(session, result, terms)
        except BaseException as error:
            errors.append(error)
            gate.abort()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return seen(engine)
