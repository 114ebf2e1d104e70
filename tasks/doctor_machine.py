"""What `vesper doctor` looks at on the machine: interpreter, packages, and the servers that a workspace names.

What belongs here: one function for each. What does not: what stands in the workspace (`doctor_workspace.py`).
"""

import contextlib
import json
import sys
import tomllib
import urllib.request
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from pathlib import Path
from typing import Any

from tasks.doctor_finding import Finding
from vesper.language import Translate
from vesper.model.workspace import Workspace

PROJECT = Path(__file__).parent.parent / "pyproject.toml"
PINNED = ("prefect", "fastapi", "sqlalchemy", "duckdb")


def python(_: Translate) -> Iterator[Finding]:
    """The interpreter against requires-python."""
    from packaging.specifiers import SpecifierSet

    wanted = str(_project()["requires-python"])
    here = ".".join(map(str, sys.version_info[:3]))
    ok = here in SpecifierSet(wanted)
    todo = "" if ok else _("Make the environment anew with another Python: make PYTHON=python3.12 run")
    yield Finding(ok, f"Python {here} ({wanted})", todo)


def packages(_: Translate) -> Iterator[Finding]:
    """Every dependency against its range, without importing any: a wrong prefect, fastapi or sqlalchemy fails silently later."""
    from packaging.requirements import Requirement

    wrong = 0
    wanted = [Requirement(line) for line in _project()["dependencies"]]
    for need in wanted:
        here = _version(need.name)
        if here is None or not need.specifier.contains(here, prereleases=True):
            wrong += 1
            what = _("{name} is {here}, and Vesper needs {wanted}").format(
                name=need.name, here=here or _("not installed"), wanted=need.specifier
            )
            yield Finding(False, what, _("Install what requirements.lock names."))
    if not wrong:
        pinned = ", ".join(f"{name} {_version(name)}" for name in PINNED)
        yield Finding(
            True, _("{count} packages inside their ranges: {pinned}").format(count=len(wanted), pinned=pinned)
        )


def _project() -> dict[str, Any]:
    """requires-python and dependencies: of pyproject.toml in a checkout, else as they were installed."""
    if PROJECT.is_file():
        project: dict[str, Any] = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
        return project
    needs = [line for line in requires("vesper") or [] if "extra ==" not in line]
    return {"requires-python": metadata("vesper")["Requires-Python"], "dependencies": needs}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def server(workspace: Workspace, _: Translate) -> Iterator[Finding]:
    """The Prefect server that this workspace's server.json names."""
    file = workspace.store / "server.json"
    if not file.is_file():
        yield Finding(
            True, _("no Prefect server runs for this workspace"), _("`vesper up` starts one with the timetable.")
        )
        return
    url = ""
    with contextlib.suppress(OSError, ValueError, KeyError):
        url = str(json.loads(file.read_text(encoding="utf-8"))["api_url"])
        with urllib.request.urlopen(f"{url}/health", timeout=2) as answer:
            if answer.status == 200:
                yield Finding(True, _("the Prefect server answers at {url}").format(url=url))
                return
    what = _("server.json names a Prefect server that does not answer: {url}").format(url=url or "?")
    yield Finding(False, what, _("Start it again with `vesper up`; nothing runs by the timetable without it."))


def mail(workspace: Workspace, _: Translate) -> Iterator[Finding]:
    """Whether a night could reach its mail server, and only one that it may reach. Nothing is sent."""
    from connectors.channels import ChannelUnreachable, opened

    if workspace.mail.server == "loopback":
        yield Finding(True, _("mail goes to a sink inside the run; none leaves this machine"))
        return
    try:
        with opened(workspace) as channel:
            channel.ready()
    except ChannelUnreachable as error:
        yield Finding(False, str(error))
    else:
        yield Finding(True, _("the mail server {server} answers").format(server=workspace.mail.server))
