"""An incremental night equals a full rebuild that has the history: the same links, clusters, ids, aliases and events, byte for byte.

A night holds many small worlds that share no value, so each of them is a random batch of its own.
"""

import hashlib
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa

from tests.identity.nights import POLICY, People, Row, record
from vesper.model.linkage import Linkage
from vesper.tables.contact import CONTACT_MEMBER
from vesper.tables.identity import CONTACT_ALIAS, IDENTITY_NIGHT, MERGE_EVENT
from warehouse.runner import Runner

WORLDS, NIGHTS, ROWS = 40, 6, 12
NAMES = ("王小明", "李雷", "韩梅梅", "张三丰", "赵敏儿", "王晓明")
SCORED = pa.schema([("record_a", pa.string()), ("record_b", pa.string()), ("weight", pa.int32())])
Rules = set[tuple[str, str, str]]


class Worlds:
    """Worlds of a dozen rows each, changed at random from night to night."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.rows: dict[str, Row] = {}
        self.rules: Rules = set()

    def turn(self) -> None:
        """A batch in every world: rows come, go, change and are excluded; a steward says something or takes it back."""
        for world in range(WORLDS):
            for number in self.random.sample(range(ROWS), self.random.choice((0, 0, 1, 2, 4))):
                self._change(world, number)
            if self.random.random() < 0.5:
                self._rule(world)

    def _change(self, world: int, number: int) -> None:
        key = f"{world:02d}-{number:02d}"
        if key in self.rows and self.random.random() < 0.3:
            del self.rows[key]
            return
        fields = {
            "card": self._one("card", world, 4, 0.3),
            "unionid": self._one("union", world, 3, 0.2),
            "phone": self._one("+86139001390", world, 4, 0.5),
            "other_phone": self._one("+86139001390", world, 4, 0.3),
            "email": self._one("a@x", world, 4, 0.4),
            "city": self._one("city", world, 2, 0.9),
            "name": self.random.choice([*NAMES, None]),
            "excluded_by": self.random.choice([None] * 9 + ["deleted_at_source"]),
        }
        self.rows[key] = record(key, **fields)

    def _one(self, stem: str, world: int, count: int, share: float) -> str | None:
        return f"{stem}{world:02d}{self.random.randrange(count)}" if self.random.random() < share else None

    def _rule(self, world: int) -> None:
        said = sorted(rule for rule in self.rules if rule[1].startswith(f"crm:{world:02d}"))
        if said and self.random.random() < 0.5:
            self.rules.discard(self.random.choice(said))
            return
        kind = self.random.choice(("must_link", "cannot_link"))
        a, b = (f"crm:{world:02d}-{number:02d}" for number in self.random.sample(range(ROWS), 2))
        self.rules.add((kind, a, b))


def chance(*values: Any) -> int:
    """A number that depends on the values alone."""
    return int(hashlib.md5(repr(values).encode()).hexdigest()[:8], 16)


def weighed(runner: Runner, records: sa.Table, linkage: Linkage, fresh: str | None) -> pa.Table:
    """A scorer that is quick and knows nothing: the weight of a pair of one city hangs on what stands in its two rows."""
    wanted = None
    if fresh is not None:
        wanted = set(runner.arrow(sa.select(sa.table(fresh, sa.column("record"))))["record"].to_pylist())
    cities = defaultdict(list)
    for row in runner.arrow(sa.select(records).where(records.c.city.is_not(None))).to_pylist():
        cities[row["city"]].append((row["record"], (row["name_key"], row["phone"], row["email_key"])))
    found = []
    for rows in cities.values():
        for (a, one), (b, other) in combinations(sorted(rows), 2):
            said = chance(*sorted([one, other], key=repr))
            if said % 3 and (wanted is None or a in wanted or b in wanted):
                found.append({"record_a": a, "record_b": b, "weight": said % 16_000 - 8_000})
    return pa.Table.from_pylist(found, SCORED)


def field(column: str, kind: str) -> Mapping[str, str]:
    return {"column": column, "kind": kind}


LINKAGE = Linkage.model_validate(
    {
        "id": "people", "says": "测试用。", "owner": "data@example.com",
        "fields": {"name": field("name_key", "name"), "phone": field("phone", "phone"), "email": field("email_key", "email"), "city": field("city", "city")},
        "comparisons": {"name": ["name"], "phone": ["phone"], "email": ["email"]},
        "blocking": [["city"]], "training": [["phone"], ["email"]], "certain": {"rules": [["phone"]]},
        "clusters": {"keep": 0, "join": -1000, "missing": -1500, "conflict": 3000, "suspect_above": 2, "soft_cap": 4, "hard_cap": 6},
    }
)  # fmt: skip


@pytest.fixture(params=["keys", "linkage"])
def people(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[People]:
    """With keys alone, and with weighed pairs clustered as strictly as can be, so that most components break."""
    linkage, score = (LINKAGE, weighed) if request.param == "linkage" else (None, None)
    found = People(tmp_path / "people", POLICY, linkage, score)
    yield found
    found.close()


@pytest.mark.requirement("R6", "R13")
def test_a_night_of_changes_equals_a_full_rebuild(people: People) -> None:
    """And an id that was retired is in use again only where the row is that it was remembered by."""
    worlds = Worlds(seed=20180301)
    founders: dict[str, str] = {}
    for number in range(NIGHTS):
        worlds.turn()
        rows, rules = list(worlds.rows.values()), sorted(worlds.rules)
        full = people.night(number, rows, rules, is_full=True, keep=False)
        assert people.night(number, rows, rules) == full, number
        contact_of = _holds(people, worlds, number)
        for contact_id in founders.keys() & set(contact_of.values()):
            assert contact_of[founders.pop(contact_id)] == contact_id
        founders |= {row["old_id"]: row["founder"] for row in people.rows(CONTACT_ALIAS, number)}
    assert {row["kind"] for row in people.rows(MERGE_EVENT, NIGHTS)} >= {"merge", "split", "steward_merge"}
    assert len(founders) > 20, "too little happened to prove anything"


def _holds(people: People, worlds: Worlds, number: int) -> dict[str, str]:
    """What must hold after every night: each live row in one contact, every retired id pointing at a live one, vetoes kept."""
    contact_of = people.contact_of(number)
    live = {f"crm:{key}" for key, row in worlds.rows.items() if row["excluded_by"] is None}
    assert contact_of.keys() == live
    ids = set(contact_of.values())
    aliases = people.rows(CONTACT_ALIAS, number)
    assert not {row["old_id"] for row in aliases} & ids
    assert {row["contact_id"] for row in aliases} - {None} <= ids
    assert all(contact_of[row["founder"]] == row["contact_id"] for row in aliases if row["founder"] in contact_of)
    for kind, a, b in worlds.rules:
        if kind == "cannot_link" and {a, b} <= live:
            assert contact_of[a] != contact_of[b]
    return contact_of


@pytest.mark.requirement("R6")
def test_another_policy_is_a_full_rebuild(people: People) -> None:
    worlds = Worlds(seed=11)
    worlds.turn(), worlds.turn()
    rows = list(worlds.rows.values())
    people.night(0, rows)
    people.policy = POLICY.model_copy(update={"guard": POLICY.guard.model_copy(update={"most_names": 1})})
    full = people.night(1, rows, is_full=True, keep=False)
    assert people.night(1, rows) == full
    assert len({row["version"] for row in people.rows(IDENTITY_NIGHT, 1)}) == 2
    assert len(people.rows(CONTACT_MEMBER, 1)) == len([row for row in rows if row["excluded_by"] is None])
