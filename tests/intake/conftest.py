"""A workspace that is reached from outside: its folder, its ledger of either kind, its web app as a real process on a free port."""

import datetime as dt
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests
import sqlalchemy as sa

from vesper.address import AddressKey, address_hash
from vesper.clock import now
from vesper.token import TokenKeys, sign
from warehouse.ledger.engine import open_ledger
from warehouse.ledger.schema import MESSAGE
from warehouse.ledger.suppression import take_key
from warehouse.secret import VARIABLE

KEY = "the key of a small company that is answered, 64 characters or so"
NIGHT = dt.date(2018, 1, 1)
HOUSE = Path(__file__).resolve().parents[2]
STARTED_SECONDS = 60


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Company:
    """A workspace with a ledger and, once `serve` was called, a web app."""

    root: Path
    port: int
    engine: sa.Engine
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def keys(self) -> TokenKeys:
        return TokenKeys.of(KEY.encode())

    def url(self, message_id: str) -> str:
        return f"{self.address}/u/{sign(self.keys, 'unsubscribe', message_id)}"

    def hashed(self, email: str) -> str:
        return address_hash(AddressKey(KEY.encode()), "email", email)

    def message(self, message_id: str, email: str, purpose: str = "marketing", campaign_id: str = "winback") -> str:
        """A message in the ledger; gives the address that unsubscribes from it."""
        at = dt.datetime(2018, 1, 1, 13)
        row = {
            "message_id": message_id, "campaign_id": campaign_id, "contact_id": f"c-{message_id}", "step_id": "send", "occurrence": 1,
            "channel": "email", "purpose": purpose, "address_hash": self.hashed(email), "state": "accepted", "priority": 2,
            "business_on": NIGHT, "planned_at": at, "not_before": at, "expires_at": now() + dt.timedelta(days=9),
        }  # fmt: skip
        with self.engine.begin() as connection:
            connection.execute(sa.insert(MESSAGE), row)
        return self.url(message_id)

    def serve(self) -> subprocess.Popen[bytes]:
        """Start the web app and wait until it answers."""
        log = (self.root / "intake.log").open("ab")
        process = subprocess.Popen(
            [sys.executable, "-m", "intake.serve", str(self.root)],
            cwd=HOUSE,
            env=dict(os.environ),
            stdout=log,
            stderr=log,
        )
        self.processes.append(process)
        over_at = time.monotonic() + STARTED_SECONDS
        while time.monotonic() < over_at:
            assert process.poll() is None, (self.root / "intake.log").read_text()
            try:
                if requests.get(f"{self.address}/health", timeout=2).ok:
                    return process
            except requests.ConnectionError:
                time.sleep(0.1)
        raise AssertionError((self.root / "intake.log").read_text())

    def rows(self, table: sa.Table) -> list[sa.Row[tuple[object, ...]]]:
        with self.engine.connect().execution_options(read_only=True) as connection:
            return list(connection.execute(sa.select(table).order_by(*table.primary_key)))


Found = Callable[..., Company]


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, KEY)


@pytest.fixture
def found(tmp_path: Path) -> Iterator[Found]:
    """Makes companies; their processes end with the test."""
    made: list[Company] = []

    def of(ledger_url: str = "", more: str = "") -> Company:
        port, root = free_port(), tmp_path / f"company{len(made)}"
        root.mkdir()
        toml = f'[company]\nname = "好邻居超市"\nlanguage = "zh_CN"\n[intake]\naddress = "http://127.0.0.1:{port}"\nport = {port}\n{more}'
        ledger = f'[ledger]\nurl = "{ledger_url}"\n' if ledger_url else ""
        (root / "vesper.toml").write_text(toml + ledger, encoding="utf-8")
        engine = open_ledger(ledger_url or f"sqlite:///{root / '.vesper' / 'ledger.db'}")
        take_key(engine, AddressKey(KEY.encode()))
        made.append(Company(root, port, engine))
        return made[-1]

    yield of
    for company in made:
        for process in company.processes:
            process.kill()
            process.wait()
        company.engine.dispose()


@pytest.fixture(params=["sqlite", "postgres"])
def company(request: pytest.FixtureRequest, found: Found) -> Company:
    """A company on either kind of ledger."""
    return found(request.getfixturevalue("postgres_url") if request.param == "postgres" else "")
