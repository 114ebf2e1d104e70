"""Grocers to test with: a small one, composed once, and a copy that may be broken."""

import datetime as dt
import shutil
from pathlib import Path

import pytest

from examples.grocer.compose import compose

HOUSEHOLDS = 120
SINCE = dt.date(2017, 12, 20)


@pytest.fixture(scope="session")
def small_grocer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace folder with 120 households and twelve days of orders. Read only."""
    root = tmp_path_factory.mktemp("small_grocer")
    compose(root, households=HOUSEHOLDS, since=SINCE)
    return root


@pytest.fixture(scope="session")
def whole_grocer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole year of all households. Read only."""
    root = tmp_path_factory.mktemp("whole_grocer")
    compose(root)
    return root


@pytest.fixture
def own_grocer(small_grocer: Path, tmp_path: Path) -> Path:
    """A copy of the small grocer, with its arrival times, for one test alone."""
    return Path(shutil.copytree(small_grocer, tmp_path / "grocer"))
