"""The composed companies: where they stand, what they make, how many work there, whom they belong to, what they are to us.

Their names say 示例 (example) and a number, so that none is a real company's. How many a place has is composed, too; how many enterprises there
really are stands in the markets' definitions, with its source.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from examples.grocer.places import Place
from examples.instruments.calendar import draw


@dataclass(frozen=True)
class Territory:
    """A place with the number of its companies that we know, and how well we know their people (probability that a field is known)."""

    place: Place
    companies: int
    known: float

    @property
    def is_abroad(self) -> bool:
        return not self.place.province


@dataclass(frozen=True)
class Company:
    """A composed company. `parent` is another one's number, 0 where it stands alone."""

    number: int
    name: str
    industry: str
    territory: Territory
    employee_count: int
    role: str
    parent: int = 0

    @property
    def id(self) -> str:
        return f"A{self.number:05d}"

    @property
    def domain(self) -> str:
        return f"o{self.number:05d}.example.com"

    @property
    def is_customer(self) -> bool:
        return self.role == "customer"


def _guangdong(city: str, english: str, companies: int, known: float) -> Territory:
    return Territory(Place("广东", city, f"广东省{city}市", english), companies, known)


TERRITORIES = (
    _guangdong("云浮", "Yunfu, Guangdong", 404, 0.976),
    _guangdong("汕尾", "Shanwei, Guangdong", 235, 0.93),
    _guangdong("东莞", "Dongguan", 180, 0.95),
    _guangdong("深圳", "Shenzhen", 140, 0.95),
    _guangdong("广州", "Guangzhou", 110, 0.95),
    _guangdong("佛山", "Foshan", 80, 0.95),
    Territory(Place("上海", "上海", "上海市", "Shanghai"), 60, 0.93),
    Territory(Place("江苏", "苏州", "江苏省苏州市", "Suzhou, Jiangsu"), 60, 0.93),
    Territory(Place("", "", "Oregon", "Oregon"), 126, 0.985),
)
GROUPS = 8
FIRST_GROUP = 90_000
"""Numbers of the groups, which buy for several companies."""
INDUSTRIES = (
    ("专用设备制造业", "机械"),
    ("电气机械和器材制造业", "电气"),
    ("仪器仪表制造业", "计量"),
    ("汽车制造业", "汽车零部件"),
    ("非金属矿物制品业", "石材"),
    ("计算机、通信和其他电子设备制造业", "电子"),
)
ABROAD_INDUSTRY = "Utilities"
_SIZES = (30, 60, 90, 150, 240, 380, 520, 800, 1500)
_SIZE_WEIGHTS = (14, 22, 20, 16, 10, 6, 6, 4, 2)


def everyone(seed: int, companies: int | None) -> list[Company]:
    """Every company, groups last. Of fewer companies each territory keeps its first ones, at least three."""
    share = 1.0 if companies is None else companies / sum(one.companies for one in TERRITORIES)
    found = []
    for place, territory in enumerate(TERRITORIES, start=1):
        number = max(3, round(territory.companies * share))
        found += [_company(seed, place * 1000 + i, territory) for i in range(number)]
    return [*found, *_groups(found)]


def _company(seed: int, number: int, territory: Territory) -> Company:
    chance = draw(seed, number, "company")
    if territory.is_abroad:
        name, industry = f"Shili {number:05d} Utility Inc.", ABROAD_INDUSTRY
    else:
        industry, trade = chance.choice(INDUSTRIES)
        name = f"{territory.place.city}示例{number:05d}{trade}有限公司"
    return Company(
        number=number,
        name=name,
        industry=industry,
        territory=territory,
        employee_count=chance.choices(_SIZES, _SIZE_WEIGHTS)[0] + chance.randrange(20),
        role=_role(chance, number),
        parent=FIRST_GROUP + chance.randrange(GROUPS) if not territory.is_abroad and chance.random() < 0.03 else 0,
    )


def _role(chance: random.Random, number: int) -> str:
    """The first company of each place sells for us; a quarter of the others buy already."""
    if number % 1000 == 0:
        return "distributor"
    return chance.choices(("customer", "prospect"), (25, 75))[0]


def _groups(companies: list[Company]) -> Iterator[Company]:
    guangzhou = next(one for one in TERRITORIES if one.place.city == "广州")
    for number in sorted({one.parent for one in companies} - {0}):
        yield Company(number, f"示例{number}控股集团有限公司", "商务服务业", guangzhou, 5_000, "buying_center")
