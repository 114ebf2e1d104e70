"""What every test stands on: nothing phones home, Prefect keeps to a folder of the test run, properties are not timed.

Fixtures of one room belong in that room's conftest.py.
"""

import atexit
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.requirements_plugin", "tests.small_grocer", "tests.postgres", "tests.reference"]

# Set before a test can import Prefect or Great Expectations, which read them once.
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("PREFECT_LOGGING_TO_API_ENABLED", "false")
os.environ.setdefault("PREFECT_HOME", tempfile.mkdtemp(prefix="vesper-prefect-"))
os.environ.pop("VESPER_WORKSPACE", None)

settings.register_profile(
    "house", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=bool(os.environ.get("CI"))
)
settings.load_profile("house")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With several workers a room's tests stay on one of them: what a room's fixtures compute is computed once."""
    from xdist.scheduler import LoadScopeScheduling

    class ByRoom(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return nodeid.split("/")[1]

    return ByRoom(config, log)


def pytest_unconfigure() -> None:
    """DuckDB's binding reports objects that Hypothesis still holds when the interpreter ends: fifty lines below the result, about nothing."""
    atexit.register(lambda: os.dup2(os.open(os.devnull, os.O_WRONLY), 2))


@pytest.fixture(scope="session")
def repository() -> Path:
    """The folder that holds pyproject.toml."""
    return Path(__file__).resolve().parent.parent
