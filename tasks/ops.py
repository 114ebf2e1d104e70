"""The actions of marketing ops, each answering in markdown (R110). The forms on the dashboard and the command line both call these."""

import datetime as dt
from pathlib import Path

import sqlalchemy as sa

from tasks.explain import explain
from tasks.handover_acts import told as tell_sales
from tasks.handover_notices import NoticeReport
from tasks.night import directly, run_night
from tasks.replay import replay, replayed
from tasks.rollout import guard_rollout
from tasks.send_now import deliver_now
from tasks.sign_off import guard, sign_offs_missing, told
from vesper.check import checked
from vesper.language import translator
from vesper.load import definition_set, definition_texts, parse, read_workspace
from vesper.model.outreach import outreaches
from vesper.model.sales import SalesPolicy
from warehouse.house import House
from warehouse.ledger import definitions as in_ledger
from warehouse.ledger.engine import reading
from warehouse.ledger.restore import waiting_since
from warehouse.ledger.schema import DEFINITION
from warehouse.ledger.send_stop import scope_of, set_stopped
from warehouse.ledger.sign_off import NotSignedOff, scoring_in_force
from warehouse.lock import run_lock

__all__ = [
    "activate",
    "activate_all",
    "backfill",
    "check",
    "deliver",
    "explain",
    "replay",
    "replayed",
    "resume",
    "roll_back",
    "stop",
]


def check(root: Path) -> str:
    """Every problem of the definitions with its file and line, and the hash of each version that is not in force yet."""
    _ = translator(read_workspace(root).company.language)
    found = checked(root)
    if found.problems:
        return "\n".join(f"- {problem}" for problem in found.problems)
    waiting = _waiting(root)
    said = [_("{count} definitions, nothing wrong.").format(count=len(definition_texts(root)))]
    said += [_("- `{name}` is not in force: {hash}").format(name=name, hash=hash) for name, hash in waiting]
    said += [_("- To look at: {warning}").format(warning=warning) for warning in found.warnings]
    said += sign_offs_missing(root)
    return "\n".join(said)


def _waiting(root: Path) -> list[tuple[str, str]]:
    """Definitions whose file differs from what is in force, with the hash of the file."""
    house = House.open(root)
    try:
        with reading(house.engine) as connection:
            active = {item.name: item.hash for item in in_ledger.in_force(connection)}
    finally:
        house.close()
    files = {name: in_ledger.hash_of(text) for name, text in definition_texts(root).items()}
    return [(name, hash) for name, hash in files.items() if active.get(name) != hash]


def activate(root: Path, kind: str, id: str, hash: str, by: str, reason: str) -> str:
    """Put one version of a definition in force: the file's, or an earlier one by its hash (R119)."""
    name = f"{kind}/{id}"
    house = House.open(root)
    try:
        with reading(house.engine) as connection:
            text = _text_of(root, connection, name, hash)
    finally:
        house.close()
    return activate_text(root, name, text, by, reason)


def activate_text(root: Path, name: str, text: str, by: str, reason: str) -> str:
    """Put a text in force as a definition, in one transaction with everything that guards it."""
    kind, _slash, id = name.partition("/")
    house = House.open(root)
    try:
        with house.engine.begin() as connection:
            before, texts = scoring_in_force(connection), _texts_in_force(connection)
            parse(kind, id, text)
            in_ledger.activate(connection, name, text, by, reason)
            _must_fit(connection)
            guard(connection, house.workspace, before)
            guard_rollout(connection, house.workspace, texts, {name: text}, reason)
    finally:
        house.close()
    _ = translator(house.workspace.company.language)
    said = _("{name} is in force as {hash} from the next night on.")
    return said.format(name=name, hash=in_ledger.hash_of(text)[:12])


def activate_all(root: Path, by: str, reason: str) -> str:
    """Put every file of the workspace in force at once: how a company begins, since definitions speak of each other."""
    house = House.open(root)
    try:
        with reading(house.engine) as connection:
            guard_rollout(connection, house.workspace, _texts_in_force(connection), definition_texts(root), reason)
        changed = house.activate_files(by, reason)
    except NotSignedOff as refused:
        raise told(refused, house.workspace) from refused
    finally:
        house.close()
    _ = translator(house.workspace.company.language)
    hashes = {name: in_ledger.hash_of(text) for name, text in definition_texts(root).items()}
    said = _("{name} is in force as {hash} from the next night on.")
    return "\n".join(said.format(name=name, hash=hashes.get(name, "-")[:12]) for name in changed)


def _must_fit(connection: sa.Connection) -> None:
    """Refuse, inside the transaction, a change after which the definitions in force do not fit together (DefinitionsInvalid)."""
    definition_set(_texts_in_force(connection))


def _texts_in_force(connection: sa.Connection) -> dict[str, str]:
    return {item.name: item.text for item in in_ledger.in_force(connection)}


def _text_of(root: Path, connection: sa.Connection, name: str, hash: str) -> str:
    file = definition_texts(root).get(name)
    if file is not None and in_ledger.hash_of(file).startswith(hash):
        return file
    kept = sa.select(DEFINITION.c.text).where(DEFINITION.c.hash.startswith(hash))
    text = connection.scalar(kept)
    if text is None:
        known = in_ledger.hash_of(file)[:12] if file is not None else "none"
        raise LookupError(f"{name} has no version {hash}; the file's version is {known} (`vesper check` lists them)")
    return str(text)


def roll_back(root: Path, kind: str, id: str, by: str, reason: str) -> str:
    """Put back what was in force before the newest activation of a definition (R119)."""
    house = House.open(root)
    try:
        with house.engine.begin() as connection:
            before = scoring_in_force(connection)
            hash = in_ledger.roll_back(connection, f"{kind}/{id}", by, reason)
            _must_fit(connection)
            guard(connection, house.workspace, before)
    finally:
        house.close()
    _ = translator(house.workspace.company.language)
    return _("{name} is in force as {hash} from the next night on.").format(name=f"{kind}/{id}", hash=str(hash)[:12])


def stop(root: Path, reason: str, by: str, campaign: str = "") -> str:
    """Stop all sending, or pause one campaign or journey, from the next transaction on (R108)."""
    return _switch(root, reason, by, True, campaign)


def resume(root: Path, reason: str, by: str, campaign: str = "") -> str:
    """Let sending go on, all of it or that of one campaign or journey: a separate act, with a name and a reason.

    Raises LookupError while a restored ledger waits for `reconcile` (R120), and for a campaign that nobody knows.
    """
    _must_be_reconciled(root)
    return _switch(root, reason, by, False, campaign)


def _must_be_reconciled(root: Path) -> None:
    house = House.open(root)
    try:
        since = waiting_since(house.engine)
    finally:
        house.close()
    if since:
        _ = translator(house.workspace.company.language)
        raise LookupError(
            _(
                "The ledger comes from a backup of {at} UTC, and nobody knows what was sent since then. Run `vesper reconcile` first; it looks and "
                "says what it found."
            ).format(at=f"{since:%Y-%m-%d %H:%M}")
        )


def _switch(root: Path, reason: str, by: str, stopped: bool, campaign: str = "") -> str:
    house = House.open(root)
    _ = translator(house.workspace.company.language)
    try:
        if campaign and campaign not in outreaches(house.definitions_at(None)):
            raise LookupError(_("There is no campaign and no journey {word}.").format(word=campaign))
        set_stopped(house.engine, by, reason, stopped, scope_of(campaign or None))
    finally:
        house.close()
    if campaign:
        said = _("{id} is paused: nothing of it leaves.") if stopped else _("{id} goes on.")
        return said.format(id=campaign)
    if stopped:
        return _(
            "Sending is stopped. What a mail server has accepted cannot be called back; `resume` lets the rest go on."
        )
    return _("Sending goes on.")


def deliver(root: Path) -> str:
    """Send the planned messages whose window is open now, and the notices to sales that are due; for the live clock, between nights."""
    house = House.open(root)
    _ = translator(house.workspace.company.language)
    try:
        with run_lock(house.workspace.store):
            report = deliver_now(house)
            policy = house.definitions.of(SalesPolicy).get("sales")
            told = tell_sales(house, policy) if policy else NoticeReport()
    finally:
        house.close()
    counts = ", ".join(f"{name} {count}" for name, count in sorted(report.outcomes.items())) or "0"
    notices = [_("Notices to sales: {count}").format(count=told.outcomes["accepted"])] if told.letters else []
    return "\n".join([_("Messages: {counts}").format(counts=counts), *notices, *report.warnings(_), *told.warnings(_)])


def backfill(root: Path, from_on: dt.date, to_on: dt.date) -> str:
    """Compute nights of the past again, oldest first, and publish them. Sends nothing (R121)."""
    nights = [from_on + dt.timedelta(days=step) for step in range((to_on - from_on).days + 1)]
    lines = []
    for business_on in nights:
        reports = run_night(directly, root, business_on, False)
        lines.append(f"- {business_on}: {sum(sum(r.rows.values()) for r in reports):,}")
    _ = translator(read_workspace(root).company.language)
    return "\n".join([_("Nights computed, rows in all tables; nothing was sent:"), *lines])
