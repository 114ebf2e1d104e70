"""The composed people: one per household of the package, and prospects who never bought. What sources wrote down of them stands in records.py.

Everything is drawn from the person's own number and the seed, so a household's person is the same in a small grocer and in the whole one.
"""

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from examples.grocer.names import GIVEN_FEMALE, GIVEN_MALE, MOBILE_PREFIXES, SURNAMES
from examples.grocer.places import PLACES, Place
from examples.grocer.shop import Household

FIELDS = ("name", "phone", "email", "city")
FIRST_PROSPECT = 3001
PROSPECTS_PER_HOUSEHOLD = 0.25
SHARED_BY = 5
_SHARES = 0.009
_KNOWN = {"name": 0.99, "phone": 0.88, "email": 0.945, "city": 0.965}
_KNOWN_PROSPECT = {"name": 0.9, "phone": 0.8, "email": 0.7, "city": 0.8}
_REGULAR, _RARE = 100, 40


@dataclass(frozen=True)
class Person:
    """A composed person. `knows` are the fields that the company ever learned; `household` is empty for a prospect."""

    number: int
    household: str
    name: str
    honorific: str
    phone: str
    email: str
    place: Place
    knows: frozenset[str]
    registered_at: dt.datetime
    shares_phone: bool = False

    @property
    def id(self) -> str:
        return f"h{self.household}" if self.household else f"p{self.number}"


def draw(seed: int, number: int, subject: str) -> random.Random:
    """The person's own stream of chance for one subject."""
    return random.Random(f"{seed}/{number}/{subject}")


def everyone(households: Sequence[Household], seed: int) -> list[Person]:
    """The people of these households and their share of prospects, some sharing a telephone in groups of five."""
    prospects = max(24, round(len(households) * PROSPECTS_PER_HOUSEHOLD))
    people = [person(one.number, str(one.number), _known_of(one), seed) for one in households]
    people += [person(FIRST_PROSPECT + i, "", _KNOWN_PROSPECT, seed) for i in range(prospects)]
    return _with_shared_phones(people, seed)


def person(number: int, household: str, known: dict[str, float], seed: int) -> Person:
    """One person, out of their number."""
    chance = draw(seed, number, "person")
    surname, pinyin = chance.choice(SURNAMES)
    is_female = chance.random() < 0.6
    given = "".join(chance.choices(GIVEN_FEMALE if is_female else GIVEN_MALE, k=chance.choice((1, 2, 2))))
    return Person(
        number=number,
        household=household,
        name=surname + given,
        honorific=surname + ("女士" if is_female else "先生"),
        phone=_phone(chance.choice(MOBILE_PREFIXES), number, seed),
        email=f"{pinyin}{chance.choice(('', '.', '_'))}{number}@example.{chance.choice(('com', 'com', 'cn'))}",
        place=chance.choice(PLACES),
        knows=frozenset(field for field in FIELDS if chance.random() < known[field]),
        registered_at=_moment(chance, dt.date(2014, 1, 1), dt.date(2016, 12, 30)),
    )


def _known_of(household: Household) -> dict[str, float]:
    """Those who come often are known better: the rare ones are where telephones are missing."""
    if household.order_count >= _REGULAR:
        return _KNOWN | {"phone": _KNOWN["phone"] + 0.05}
    return _KNOWN if household.order_count >= _RARE else _KNOWN | {"phone": _KNOWN["phone"] - 0.03}


def _phone(prefix: str, number: int, seed: int) -> str:
    """A mobile number of the Chinese plan; the last eight digits differ for every person."""
    return f"{prefix}{(number * 61_803_399 + seed * 31) % 100_000_000:08d}"


def _with_shared_phones(people: list[Person], seed: int) -> list[Person]:
    """Families and shop counters: each full group of five that drew it uses the first one's number."""
    sharing = [
        i
        for i, one in enumerate(people)
        if "phone" in one.knows and draw(seed, one.number, "shared").random() < _SHARES
    ]
    for start in range(0, len(sharing) - SHARED_BY + 1, SHARED_BY):
        phone = people[sharing[start]].phone
        for i in sharing[start : start + SHARED_BY]:
            people[i] = replace(people[i], phone=phone, shares_phone=True)
    return people


def _moment(chance: random.Random, first: dt.date, last: dt.date) -> dt.datetime:
    """A second of an opening day between two days, both included."""
    on = first + dt.timedelta(days=chance.randrange((last - first).days + 1))
    return dt.datetime.combine(on, dt.time(8)) + dt.timedelta(seconds=chance.randrange(13 * 3600))
