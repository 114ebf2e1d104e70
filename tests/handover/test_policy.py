"""policy/sales.yml: what is wrong in it is one sentence with its line; the ledger holds a night alike on SQLite and PostgreSQL."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from vesper.address import AddressKey
from vesper.check import check
from vesper.erasure import Person
from warehouse.ledger import erasure
from warehouse.ledger.engine import open_ledger
from warehouse.ledger.handover import NightOfSales, record
from warehouse.ledger.handover_acts import ActRefused, close_task, is_taken_over, withdraw
from warehouse.ledger.handover_schema import HANDOVER, HUMAN_TASK, NOTICE
from warehouse.ledger.notices import begin, due, recover, settle

RIGHT = """says: 移交
owner: sales
team:
  an: {name: 安, email: an@example.com, regions: [上海]}
manager: boss@example.com
reject_reasons: {no_budget: 没有预算}
"""
WRONG = [
    ("open_limti: 3\n", "", 7, "open_limti"),
    ("chat_intents: [chat_intnet]\n", "", 7, "chat_intnet"),
    ('calendar: {hours: {starts: "18:00", ends: "09:00"}}\n', "", 7, ""),
    ("calendar: {working_days: [mon]}\n", "", 7, "mon"),
    ("calendar: {holidays: [2026-03-09], extra_working_days: [2026-03-09]}\n", "", 7, "2026-03-09"),
    ("notices: {email: false}\n", "", 7, "wecom"),
    ("notices: {webhook: {url: loopback, secret: plain}}\n", "", 7, ""),
    ("notices: {wecom: {url: https://qyapi.example.com/key}}\n", "", 7, ""),
    ("follow_up: {within: 1 day}\n", "", 7, ""),
    ("follow_up: {target_ratio: 90}\n", "", 7, ""),
    ("", "an: {name: 安, email: nobody", 4, ""),
]
NIGHT, AT = dt.date(2026, 3, 2), dt.datetime(2026, 3, 2, 13)


def workspace(root: Path, text: str) -> Path:
    (root / "definitions" / "policy").mkdir(parents=True)
    (root / "vesper.toml").write_text('[company]\nname = "精测仪器"\n', encoding="utf-8")
    (root / "definitions" / "policy" / "sales.yml").write_text(text, encoding="utf-8")
    (root / "definitions" / "sources").mkdir()
    source = "preset: handover_sheet\nowner: sales\n"
    (root / "definitions" / "sources" / "handover_sheet.yml").write_text(source, encoding="utf-8")
    return root


def test_a_policy_of_six_lines_is_whole(tmp_path: Path) -> None:
    assert check(workspace(tmp_path, RIGHT)) == []


@pytest.mark.requirement("R102", "R119")
@pytest.mark.parametrize(("more", "instead", "line", "word"), WRONG)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, more: str, instead: str, line: int, word: str) -> None:
    text = RIGHT.replace("an: {name: 安, email: an@example.com", instead) if instead else RIGHT + more
    problems = check(workspace(tmp_path, text))
    assert [(p.file, p.line) for p in problems] == [("definitions/policy/sales.yml", line)]
    assert word in str(problems[0])


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    """The same test on both kinds of ledger."""
    is_sqlite = request.param == "sqlite"
    engine = open_ledger(
        f"sqlite:///{tmp_path / 'ledger.db'}" if is_sqlite else request.getfixturevalue("postgres_url")
    )
    yield engine
    engine.dispose()


def night() -> NightOfSales:
    times = dict.fromkeys(("scored_at", "recorded_at", "created_at", "due_at"), AT)
    handed = {
        "contact_id": "a",
        "episode": 1,
        "cause": "high_score",
        "score": 92,
        "business_on": NIGHT,
        "state": "open",
    }
    task = {"task_id": "t1", "contact_id": "a", "number": 1, "cause": "high_score", "handover_id": "h1"}
    told = {
        "about": "h1",
        "handover_id": "h1",
        "kind": "new",
        "channel": "email",
        "recipient": "an",
        "state": "planned",
    }
    return NightOfSales(
        NIGHT,
        handovers=[{"handover_id": "h1", **handed, **times}],
        reasons=[{"handover_id": "h1", "rule_id": "base", "points": 60, "evidence_count": 0}],
        tasks=[task | {"opened_on": NIGHT, "opened_at": AT, "is_open": True}],
        notices=[{"notice_id": "n1", **told, "created_at": AT, "not_before": AT, "attempts": 0}],
    )


@pytest.mark.requirement("R63", "R64")
def test_a_ledger_keeps_a_night_once(ledger: sa.Engine) -> None:
    assert [vars(record(ledger, night())) for _ in range(2)] == [
        {"handovers": 1, "tasks": 1, "notices": 1},
        {"handovers": 0, "tasks": 0, "notices": 0},
    ]
    answer = {"handover_id": "h1", "state": "accepted", "outcome": "accepted", "reason_code": None}
    moments = {"touched_at": AT, "accepted_at": AT, "ended_at": None}
    record(ledger, NightOfSales(NIGHT, answers=[answer | moments], turns=[{"id": "h1", "stands": False}]))
    with ledger.connect() as connection:
        assert is_taken_over(connection, "a")
        row = connection.execute(sa.select(HANDOVER)).one()
    assert (row.state, row.accepted_at, row.lapsed_on) == ("accepted", AT, NIGHT)
    with pytest.raises(ActRefused):
        withdraw(ledger, "h1", "安", "误判", AT, lambda id, told: [])
    close_task(ledger, "t", "安", "谈过了", AT)
    with ledger.connect() as connection:
        assert not is_taken_over(connection, "a")


@pytest.mark.requirement("R63")
def test_a_notice_goes_once(ledger: sa.Engine) -> None:
    record(ledger, night())
    (one,) = due(ledger, AT)
    assert begin(ledger, [one.notice_id], "letter", AT) == {"n1"}
    assert begin(ledger, [one.notice_id], "letter", AT) == frozenset()
    settle(ledger, "letter", "accepted", "250", AT)
    assert recover(ledger) == 0 and due(ledger, AT) == []
    made = {"about": "h1", "handover_id": "h1", "kind": "withdrawn", "channel": "email", "recipient": "an"}
    more = {"notice_id": "n2", "state": "planned", "created_at": AT, "not_before": AT, "attempts": 0}
    done = withdraw(ledger, "h1", "安", "误判", AT, lambda id, told: [made | more])
    assert (done.notices, done.tasks) == (1, 1)
    with ledger.connect() as connection:
        assert sorted(connection.scalars(sa.select(NOTICE.c.state))) == ["accepted", "planned"]


@pytest.mark.requirement("R122")
def test_an_erased_person_is_no_longer_in_the_hand_overs(ledger: sa.Engine) -> None:
    record(ledger, night())
    person = Person(contact_ids=("a",), tokens={"a": "e-token"})
    key = AddressKey(b"a key of at least thirty-two characters")
    with ledger.begin() as connection:
        erasure.begin(connection, "e1", "hash", "安", "本人要求")
        erasure.commit(connection, "e1", person, key, [])
    with ledger.connect() as connection:
        handed = connection.execute(sa.select(HANDOVER.c.contact_id, HANDOVER.c.state)).all()
        tasks = connection.execute(sa.select(HUMAN_TASK.c.contact_id, HUMAN_TASK.c.is_open)).all()
        assert connection.scalar(sa.select(NOTICE.c.state)) == "refused"
    assert (handed, tasks) == ([("e-token", "withdrawn")], [("e-token", False)])
