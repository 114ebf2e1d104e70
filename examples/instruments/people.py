"""The composed people: who works where, and which of their fields the company ever learned.

Everything is drawn from the person's own number and the seed, so a person is the same in a small example and in the whole one.
"""

import datetime as dt
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from examples.grocer.names import GIVEN_FEMALE, GIVEN_MALE, MOBILE_PREFIXES, SURNAMES
from examples.instruments.calendar import draw, moment
from examples.instruments.companies import Company

FIELDS = ("name", "phone", "email", "job_title", "company")
EQUIPMENT = "设备经理"
EQUIPMENT_ABROAD = "Maintenance Manager"
_TITLES = ("采购主管", "质量工程师", "实验室主任", "工艺工程师", "总工程师", "总经理")
_TITLE_WEIGHTS = (25, 25, 18, 18, 8, 6)
_FIRST_NAMES = ("Alex", "Dana", "Erin", "Jamie", "Jordan", "Kelly", "Lee", "Morgan", "Robin", "Taylor")
_LAST_NAMES = ("Baker", "Carter", "Cooper", "Fisher", "Hunter", "Mason", "Miller", "Potter", "Turner", "Walker")
FIRST_PROSPECT = 500_000
PROSPECTS_PER_COMPANY = 0.45
REPRESENTATIVES = ("销售一组", "销售二组", "销售三组", "销售四组")


@dataclass(frozen=True)
class Person:
    """A composed person. `in_crm` is false for those who only called or filled in a form."""

    number: int
    company: Company
    name: str
    honorific: str
    job_title: str
    phone: str
    email: str
    knows: frozenset[str]
    registered_at: dt.datetime
    in_crm: bool = True

    @property
    def crm_id(self) -> str:
        return f"C{self.number:06d}"

    @property
    def card(self) -> str:
        """The customer number under which the ERP knows them; empty for those who never bought."""
        return f"K{self.number:06d}" if self.in_crm and self.company.is_customer else ""

    @property
    def owner(self) -> str:
        return REPRESENTATIVES[self.company.number % len(REPRESENTATIVES)]


def everyone(seed: int, companies: Iterable[Company]) -> list[Person]:
    """The people of these companies: one who looks after the equipment, up to two colleagues, and strangers who are not in the CRM."""
    found = [one for company in companies if company.role != "buying_center" for one in _of_company(seed, company)]
    homes = [one.company for one in found if not one.company.territory.is_abroad]
    count = max(12, round(len({one.number for one in homes}) * PROSPECTS_PER_COMPANY))
    chance = draw(seed, 0, "strangers")
    found += [person(seed, FIRST_PROSPECT + i, chance.choice(homes), in_crm=False) for i in range(count)]
    return found


def _of_company(seed: int, company: Company) -> Iterator[Person]:
    chance = draw(seed, company.number, "headcount")
    colleagues = 0 if company.territory.is_abroad else chance.choices((0, 1, 2), (45, 35, 20))[0]
    for place in range(1 + colleagues):
        yield person(seed, company.number * 5 + place, company, in_crm=True, is_first=place == 0)


def person(seed: int, number: int, company: Company, *, in_crm: bool, is_first: bool = False) -> Person:
    """One person, out of their number."""
    chance = draw(seed, number, "person")
    name, honorific, local = _called(chance, company)
    first_title = EQUIPMENT_ABROAD if company.territory.is_abroad else EQUIPMENT
    known = company.territory.known if in_crm else 0.8
    return Person(
        number=number,
        company=company,
        name=name,
        honorific=honorific,
        job_title=first_title if is_first else chance.choices(_TITLES, _TITLE_WEIGHTS)[0],
        phone=f"{chance.choice(MOBILE_PREFIXES)}{(number * 61_803_399 + seed * 31) % 100_000_000:08d}",
        email=f"{local}{number}@{company.domain}",
        knows=frozenset(field for field in FIELDS if chance.random() < known),
        registered_at=moment(chance, dt.date(2023, 1, 2) + dt.timedelta(days=chance.randrange(1200))),
        in_crm=in_crm,
    )


def _called(chance: random.Random, company: Company) -> tuple[str, str, str]:
    """Name, polite short form, and the beginning of the mail address."""
    if company.territory.is_abroad:
        first, last = chance.choice(_FIRST_NAMES), chance.choice(_LAST_NAMES)
        return f"{first} {last}", f"Mx. {last}", f"{first}.{last}".lower()
    surname, pinyin = chance.choice(SURNAMES)
    is_female = chance.random() < 0.35
    given = "".join(chance.choices(GIVEN_FEMALE if is_female else GIVEN_MALE, k=chance.choice((1, 2, 2))))
    return surname + given, surname + ("女士" if is_female else "先生"), pinyin
