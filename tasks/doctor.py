"""`vesper doctor`: what is wrong with this machine and this workspace, each with what to do. It changes nothing.

What belongs here: the order, and that no look stops the others: one that fails itself is a finding, too. What does not: the looks
(`doctor_machine.py`, `doctor_workspace.py`, `doctor_store.py`), mending, and judging data (the gates do).
"""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from tasks.doctor_finding import Finding, Patient
from tasks.doctor_machine import mail, packages, python, server
from tasks.doctor_store import disk, lake, landing, ledger, runs
from tasks.doctor_workspace import definitions, run_lock_free, settings
from tasks.sql import Unanswered, open_to_read
from vesper.language import Translate, translator
from vesper.load import read_workspace
from vesper.problem import DefinitionsInvalid


def doctor(root: Path, deep: bool = False) -> list[Finding]:
    """Everything looked at, in a fixed order: machine, settings, definitions, ledger, lake, runs, landing, server, mail.

    `deep` hashes every file in force instead of looking at names and sizes. What cannot be looked at, such as the ledger before the first
    night, is one finding, and the rest is looked at all the same.
    """
    root = Path(root).resolve()
    try:
        workspace = read_workspace(root)
    except DefinitionsInvalid as invalid:
        _ = translator("zh_CN")
        problems = [Finding(False, str(problem)) for problem in invalid.problems]
        return [*python(_), *packages(_), *problems]
    _ = translator(workspace.company.language)
    outside: list[Callable[[], Iterator[Finding]]] = [
        lambda: python(_),
        lambda: packages(_),
        lambda: settings(workspace, _),
        lambda: definitions(root, _),
        lambda: inside(root, deep, _),
        lambda: run_lock_free(workspace, _),
        lambda: server(workspace, _),
        lambda: mail(workspace, _),
    ]
    return [finding for look in outside for finding in _guarded(look, _)]


def inside(root: Path, deep: bool, _: Translate) -> Iterator[Finding]:
    """What stands in the workspace's two stores."""
    try:
        with open_to_read(root) as house:
            patient = Patient(house, deep, _)
            first = _guarded(lambda: ledger(patient), _)
            yield from first
            # Without a whole ledger of this version, nothing behind it can be looked at.
            looks = (lake, disk, runs, landing) if all(finding.ok for finding in first) else ()
            for look in looks:
                yield from _guarded(partial(look, patient), _)
    except Unanswered as none_yet:
        yield Finding(True, str(none_yet))


def _guarded(look: Callable[[], Iterator[Finding]], _: Translate) -> list[Finding]:
    found: list[Finding] = []
    try:
        for finding in look():
            found.append(finding)
    except Exception as error:  # one check that cannot be made must not hide the others
        what = _("a check could not be made: {error}").format(error=f"{type(error).__name__}: {str(error)[:200]}")
        found.append(Finding(False, what, _("Report it with this line.")))
    return found
