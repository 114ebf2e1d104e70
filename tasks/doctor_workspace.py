"""What `vesper doctor` looks at in a workspace without opening its stores: settings, definitions, who runs in it.

What belongs here: one function for each. What does not: ledger and lake (`doctor_store.py`).
"""

import fcntl
from collections.abc import Iterator
from pathlib import Path

from tasks.doctor_finding import Finding
from vesper.check import check
from vesper.language import Translate
from vesper.model.workspace import Workspace

SHOWN = 3
"""Problems that are told one by one."""


def settings(workspace: Workspace, _: Translate) -> Iterator[Finding]:
    """vesper.toml was readable; what it says of clock and production."""
    clock = workspace.clock
    mode = f"{clock.mode} {clock.simulated_on}" if clock.simulated_on else clock.mode
    what = _("vesper.toml: {company}, {zone}, clock {mode}").format(
        company=workspace.company.name, zone=workspace.company.zone, mode=mode
    )
    if clock.mode == "simulated" and workspace.production:
        todo = _("Take one of the two back: a simulated night must never be production.")
        yield Finding(False, what + " " + _("and production = true"), todo)
    elif clock.mode == "simulated" and clock.simulated_on is None:
        yield Finding(False, what, _("Name the night to play: simulated_on = 2018-01-01"))
    else:
        yield Finding(True, what)


def definitions(root: Path, _: Translate) -> Iterator[Finding]:
    """What `vesper check` says."""
    problems = check(root)
    if not problems:
        yield Finding(True, _("definitions: nothing wrong"))
    for problem in problems[:SHOWN]:
        yield Finding(False, f"{problem.file}:{problem.line}: {problem.what}", problem.instead)
    if len(problems) > SHOWN:
        what = _("{count} more problems in definitions").format(count=len(problems) - SHOWN)
        yield Finding(False, what, _("Run `vesper check`."))


def run_lock_free(workspace: Workspace, _: Translate) -> Iterator[Finding]:
    """Whether a process runs here."""
    holder = lock_holder(workspace)
    if holder:
        what = _("process {pid} runs in this workspace").format(pid=holder)
        yield Finding(False, what, _("Wait until it ends; if it hangs, stop that process and run again."))
    else:
        yield Finding(True, _("nothing runs in this workspace"))


def lock_holder(workspace: Workspace) -> str:
    """The process that holds the run lock, empty if none does. Looking takes the lock for an instant, shared, and never waits."""
    path = workspace.store / "run.lock"
    if not path.is_file():
        return ""
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return file.read().strip() or "?"
    return ""
