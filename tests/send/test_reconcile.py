"""Reconciling: messages of unknown fate are settled by evidence, by its proven absence, or by the horizon; never by guessing."""

import datetime as dt
import os
from pathlib import Path

import pytest
import sqlalchemy as sa

from connectors.channels.evidence import Maildir, Nothing, ServerLog, SinkFolder, evidence_of
from tests.send.company import KEY, workspace
from tests.send.machinery import FREE, START, Worker, all_of, of, put, row
from vesper.clock import now
from vesper.model.workspace import Mail, Webhook
from warehouse.ledger.claim import Wanted, claim
from warehouse.ledger.dispatch import Begun, Result, Terms, begin, settle
from warehouse.ledger.outbox import Due
from warehouse.ledger.reconcile import HORIZON, Rules, doubts, reconcile
from warehouse.ledger.schema import ATTEMPT, TOUCH
from warehouse.ledger.session import Session
from warehouse.ledger.worker import recover
from warehouse.secret import VARIABLE

LEASE = dt.timedelta(minutes=20)
MINUTE = dt.timedelta(minutes=1)
ID = "0123456789abcdef0123456789"
OTHER = "f" * 26


def unknown(engine: sa.Engine, store: Path, count: int = 1) -> list[Due]:
    """Messages that a worker had on the wire when it died."""
    put(engine, [row("a", f"c{n}") for n in range(count)])
    dead = Worker(engine, store)
    with Session(engine) as session:
        messages = claim(session, dead.id, Wanted("email", START, count), now() + LEASE)
        for message in messages:
            begin(session, message, START, Terms(dead.id, FREE))
    dead.die()
    recover(engine, store)
    return messages


def rules(shown: dict[str, dt.datetime] | None = None, covers: bool = True, resends: bool = False) -> Rules:
    return Rules(shown or {}, lambda _channel, _at: covers, lambda _campaign: resends, 15 * MINUTE, "the log")


@pytest.mark.requirement("R86")
def test_evidence_settles_both_ways(any_ledger: sa.Engine, tmp_path: Path) -> None:
    taken, lost = unknown(any_ledger, tmp_path, 2)
    found = rules({taken.message_id: now()})
    assert reconcile(any_ledger, found, now() + MINUTE) == {"accepted": 1, "unknown": 1}
    assert reconcile(any_ledger, found, now() + 20 * MINUTE) == {"not_accepted": 1}
    assert of(any_ledger, taken).state == "accepted"
    assert (of(any_ledger, lost).state, of(any_ledger, lost).reason) == ("planned", "not_accepted")
    assert [touch.message_id for touch in all_of(any_ledger, TOUCH)] == [taken.message_id]
    assert [(a.outcome, a.code) for a in all_of(any_ledger, ATTEMPT)][2:] == [
        ("accepted", "reconciled"),
        ("not_accepted", "reconciled"),
    ]
    with Session(any_ledger) as session:
        (again,) = claim(session, "w", Wanted("email", START, 9), now() + LEASE)
        begun = begin(session, again, START, Terms("w", FREE))
    assert isinstance(begun, Begun)
    assert begun.number == 2


@pytest.mark.requirement("R86")
@pytest.mark.parametrize(
    ("resends", "becomes", "reason"), [(False, "abandoned", "no_evidence"), (True, "planned", "resend")]
)
def test_without_evidence_the_horizon_decides(
    any_ledger: sa.Engine, tmp_path: Path, resends: bool, becomes: str, reason: str
) -> None:
    (message,) = unknown(any_ledger, tmp_path)
    blind = rules(covers=False, resends=resends)
    assert reconcile(any_ledger, blind, now() + HORIZON - MINUTE) == {"unknown": 1}
    reconcile(any_ledger, blind, now() + HORIZON + MINUTE)
    assert (of(any_ledger, message).state, of(any_ledger, message).reason) == (becomes, reason)
    assert len(all_of(any_ledger, TOUCH)) == 1
    if resends:
        with Session(any_ledger) as session:
            (again,) = claim(session, "w", Wanted("email", START, 9), now() + LEASE)
            assert isinstance(begin(session, again, START + MINUTE, Terms("w", FREE)), Begun)
        assert [touch.at for touch in all_of(any_ledger, TOUCH)] == [START + MINUTE]


def test_nothing_is_proven_while_the_worker_may_still_speak(any_ledger: sa.Engine, tmp_path: Path) -> None:
    """Stopped past its lease: its bytes may reach the server any moment, so silence proves nothing until it is dead."""
    put(any_ledger, [row("a", "c")])
    zombie = Worker(any_ledger, tmp_path)
    with Session(any_ledger) as session:
        (message,) = claim(session, zombie.id, Wanted("email", START, 1), now() + LEASE)
        begun = begin(session, message, START, Terms(zombie.id, FREE))
        assert isinstance(begun, Begun)
        recover(any_ledger, tmp_path, now() + 2 * LEASE)
        assert reconcile(any_ledger, rules(), now() + 60 * MINUTE) == {"unknown": 1}
        zombie.die()
        recover(any_ledger, tmp_path)
        assert reconcile(any_ledger, rules(), now() + 60 * MINUTE) == {"not_accepted": 1}
        settle(session, Result(message, begun, "deferred", "451"), Terms(zombie.id, FREE))
    assert of(any_ledger, message).state == "planned"


def test_what_is_tried_often_enough_ends(any_ledger: sa.Engine, tmp_path: Path) -> None:
    (message,) = unknown(any_ledger, tmp_path)
    with any_ledger.begin() as connection:
        connection.execute(sa.text("update message set attempts = 5"))
    assert [doubt.attempts for doubt in doubts(any_ledger)] == [5]
    assert reconcile(any_ledger, rules(), now() + 60 * MINUTE) == {"exhausted": 1}
    assert of(any_ledger, message).state == "rejected"


# places ---------------------------------------------------------------------------------------------------------------


def test_the_folder_of_a_sink_is_the_whole_truth(tmp_path: Path) -> None:
    place = SinkFolder(tmp_path / "sink")
    assert not place.covers(START)
    place.folder.mkdir()
    for name in (f"{ID}.eml", f"{OTHER}.2.eml", ".draft", "notes.txt"):
        (place.folder / name).touch()
    assert place.shown().keys() == {ID, OTHER}
    assert place.covers(START)


def test_a_maildir_covers_what_came_after_its_oldest_mail(tmp_path: Path) -> None:
    for part in ("new", "cur", "tmp"):
        (tmp_path / part).mkdir()
    (tmp_path / "cur" / "1.host:2,S").write_bytes(f"Message-ID: <{ID}@x.cn>\r\n\r\nhello".encode())
    (tmp_path / "new" / "2.host").write_bytes(f"Subject: x\r\n\r\nMessage-ID: <{OTHER}@x.cn>\r\n".encode())
    at = START.replace(tzinfo=dt.UTC).timestamp()
    os.utime(tmp_path / "cur" / "1.host:2,S", (at, at))
    place = evidence_of(workspace(tmp_path, mail=Mail(server="127.0.0.1:25", log=".")))
    assert isinstance(place, Maildir)
    assert place.shown() == {ID: START}
    assert (place.covers(START), place.covers(START - MINUTE)) == (True, False)


POSTFIX = f"""2018-01-01T13:00:00.000001+00:00 mx postfix/smtpd[7]: connect from localhost[127.0.0.1]
2018-01-01T13:00:01.500000+00:00 mx postfix/cleanup[8]: 4abcDEF: message-id=<{ID}@x.cn>
2018-01-01T21:00:02+08:00 mx postfix/qmgr[9]: 4abcDEF: from=<b+{ID}@x.cn>, size=812, nrcpt=1 (queue active)
2018-01-01T13:00:03+00:00 mx postfix/cleanup[8]: 5abcDEF: message-id=<{OTHER}@x.cn>
2018-01-01T13:00:03+00:00 mx postfix/smtpd[7]: lost connection after DATA (500 bytes) from localhost[127.0.0.1]
a line of something else
"""
OPENSMTPD = f"""Jan  1 13:00:00 mx smtpd[12]: f274cf34b7d0786b smtp connected address=127.0.0.1 host=localhost
Jan  1 13:00:01 mx smtpd[12]: f274cf34b7d0786b smtp message msgid=78e5c402 size=1118 nrcpt=1 proto=ESMTP
Jan  1 13:00:01 mx smtpd[12]: f274cf34b7d0786b smtp envelope evpid=78e5c402920bcc4f from=<b+{ID}@x.cn> to=<a@b.cn>
"""


def test_postfix_has_a_mail_when_its_queue_has_it(tmp_path: Path) -> None:
    """It names the id while it still reads; a connection lost after that is no mail."""
    (tmp_path / "mail.log").write_text(POSTFIX, encoding="utf-8")
    place = evidence_of(workspace(tmp_path, mail=Mail(server="127.0.0.1:25", log="mail.log")))
    assert isinstance(place, ServerLog)
    assert place.shown() == {ID: START.replace(second=2)}
    assert (place.covers(START + MINUTE), place.covers(START - MINUTE)) == (True, False)


def test_opensmtpd_names_the_sender_of_what_it_took(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "maillog"
    file.write_text(OPENSMTPD, encoding="utf-8")
    at = (START + 60 * MINUTE).replace(tzinfo=dt.UTC).timestamp()
    os.utime(file, (at, at))
    (taken,) = ServerLog(file).shown().items()
    local = taken[1].replace(tzinfo=dt.UTC).astimezone().replace(tzinfo=None)
    assert (taken[0], local) == (ID, dt.datetime(2018, 1, 1, 13, 0, 1))


def test_a_server_without_a_log_shows_nothing(tmp_path: Path) -> None:
    assert isinstance(evidence_of(workspace(tmp_path, mail=Mail(server="127.0.0.1:25"))), Nothing)
    space = workspace(tmp_path, webhook=Webhook(url="http://127.0.0.1:9/x", secret="${HOOK}"))
    assert not evidence_of(space, "webhook").covers(START)
    assert not ServerLog(tmp_path / "absent.log").covers(START)


@pytest.mark.requirement("R120")
def test_the_command_settles_a_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a worker that died with its loopback sink to a ledger without doubts."""
    from tasks.reconcile import reconcile as run
    from warehouse.house import House

    monkeypatch.setenv(VARIABLE, KEY)
    (tmp_path / "vesper.toml").write_text('[company]\nname = "x"\nlanguage = "en"\n', encoding="utf-8")
    house = House.open(tmp_path)
    taken, lost = unknown(house.engine, house.workspace.store, 2)
    sink = house.workspace.store / "sink"
    sink.mkdir()
    (sink / f"{taken.message_id}.eml").touch()
    said = run(tmp_path, "ops")
    assert said == "Taken by the server after all: 1.\nSurely not taken, planned again: 1."
    assert (of(house.engine, taken).state, of(house.engine, lost).state) == ("accepted", "planned")
    assert run(tmp_path, "ops") == "No message is of unknown fate."
    house.close()
