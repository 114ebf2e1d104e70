"""Rollout at activation: a campaign or journey goes one state wider at a time, or somebody says why not (R101, docs/decisions/0029).

What belongs here: the guard inside an activating transaction, its words, and the version that planned a message. What does not: whom a state reaches
(`vesper/rollout.py`).
"""

from collections.abc import Callable, Mapping

import sqlalchemy as sa

from vesper.language import translator
from vesper.live_test import tested_hash
from vesper.load import parse
from vesper.model.from_matrix import FromMatrix
from vesper.model.matrix import Matrix
from vesper.model.outreach import Outreach
from vesper.model.workspace import Workspace
from vesper.problem import DefinitionsInvalid
from vesper.rollout import skipped
from vesper.sent import SentContent, sent_by
from vesper.stage_report import StageFailed
from warehouse.ledger.definitions import text_of
from warehouse.ledger.engine import reading
from warehouse.ledger.live_test import is_passed

FOLDERS = ("campaigns", "journeys")
TESTED_CHANNEL = "email"


def guard_rollout(
    connection: sa.Connection, workspace: Workspace, before: Mapping[str, str], after: Mapping[str, str], reason: str
) -> None:
    """Refuse, inside an activating transaction, a state that leaves out a step without a reason, and `full` in production without a live test.

    `before` and `after` are texts in force by name. Edited files of a development workspace pass. Raises StageFailed with one sentence.
    """
    if workspace.definitions.activate == "automatic":
        return
    for name in sorted(after):
        now = _outreach(name, after[name])
        if now is None or before.get(name) == after[name]:
            continue
        was = _outreach(name, before[name]) if name in before else None
        _must_step(workspace, name, was.state if was else "draft", now.state, reason)
        _must_be_tested(connection, workspace, name, now, {**before, **after})


def versions(engine: sa.Engine) -> Callable[[str | None], Outreach | None]:
    """Hash of a version -> the campaign or journey as it was then; None where the ledger has none, or where it is no longer one."""
    known: dict[str, Outreach | None] = {}

    def version(hash: str | None) -> Outreach | None:
        if hash is None:
            return None
        if hash not in known:
            with reading(engine) as connection:
                kept = text_of(connection, hash)
            known[hash] = _outreach(*kept) if kept else None
        return known[hash]

    return version


def _outreach(name: str, text: str) -> Outreach | None:
    kind, _, id = name.partition("/")
    if kind not in FOLDERS:
        return None
    try:
        found = parse(kind, id, text)
    except DefinitionsInvalid:
        return None
    return found if isinstance(found, Outreach) else None


def _must_step(workspace: Workspace, name: str, before: str, after: str, reason: str) -> None:
    left_out = skipped(before, after)
    if left_out and not reason.strip():
        _ = translator(workspace.company.language)
        said = _(
            "{name} goes from {before} to {after} and leaves out {states}. Go one step at a time, or give a reason."
        )
        raise StageFailed(said.format(name=name, before=before, after=after, states=", ".join(left_out)))


def _must_be_tested(
    connection: sa.Connection, workspace: Workspace, name: str, now: Outreach, texts: Mapping[str, str]
) -> None:
    """In production one-click unsubscribe is tried over the wire before everybody is written to (RFC 8058)."""
    is_asked = workspace.production and now.state == "full" and now.purpose == "marketing" and _sends_mail(now, texts)
    if is_asked and not is_passed(connection, now.id, tested_hash(now.id, workspace.intake.address)):
        _ = translator(workspace.company.language)
        said = _(
            "{name}: nobody has tried its one-click unsubscribe over the wire. Run the live test in state pilot first."
        )
        raise StageFailed(said.format(name=name))


def _sends_mail(outreach: Outreach, texts: Mapping[str, str]) -> bool:
    """Whether mail is among what it sends, one content or a matrix; of a matrix that cannot be read it is taken for granted."""
    return any(TESTED_CHANNEL in _channels(sent, texts) for sent in sent_by(outreach))


def _channels(sent: SentContent, texts: Mapping[str, str]) -> tuple[str | None, ...]:
    if not isinstance(sent.content, FromMatrix):
        return (sent.channel,)
    try:
        matrix = parse("matrix", sent.content.matrix, texts.get(sent.name, ""))
    except DefinitionsInvalid:
        return (TESTED_CHANNEL,)
    return matrix.used_channels if isinstance(matrix, Matrix) else (TESTED_CHANNEL,)
