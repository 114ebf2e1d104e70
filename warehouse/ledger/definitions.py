"""Which definitions are in force: texts by hash, and the append-only list of activations (R119)."""

import hashlib
from dataclasses import dataclass

import sqlalchemy as sa

from vesper.clock import now
from warehouse.ledger.schema import ACTIVATION, DEFINITION


@dataclass(frozen=True)
class Active:
    """A definition in force: its name ("segments/dormant_90d"), its hash, its text."""

    name: str
    hash: str
    text: str


def hash_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def newest_activation(connection: sa.Connection) -> int:
    """Id of the newest activation, 0 when there is none. It names the set in force exactly."""
    return int(connection.scalar(sa.select(sa.func.max(ACTIVATION.c.activation_id))) or 0)


def in_force(connection: sa.Connection, up_to: int | None = None) -> list[Active]:
    """The definitions in force after activation `up_to` (default: now), by name."""
    scope = sa.select(sa.func.max(ACTIVATION.c.activation_id)).group_by(ACTIVATION.c.kind, ACTIVATION.c.id)
    if up_to is not None:
        scope = scope.where(ACTIVATION.c.activation_id <= up_to)
    query = (
        sa.select(ACTIVATION.c.kind, ACTIVATION.c.id, DEFINITION.c.hash, DEFINITION.c.text)
        .join_from(ACTIVATION, DEFINITION, DEFINITION.c.hash == ACTIVATION.c.hash)
        .where(ACTIVATION.c.activation_id.in_(scope))
        .order_by(ACTIVATION.c.kind, ACTIVATION.c.id)
    )
    return [Active(f"{row.kind}/{row.id}", row.hash, row.text) for row in connection.execute(query)]


def activate(connection: sa.Connection, name: str, text: str | None, by: str, reason: str = "") -> str | None:
    """Put a definition's text in force, or withdraw it with None; returns its hash. What is in force already stays untouched."""
    kind, id = name.split("/", 1)
    digest = hash_of(text) if text is not None else None
    if text is not None:
        _keep(connection, kind, id, text)
    if _current(connection, kind, id) != digest:
        row = {"kind": kind, "id": id, "hash": digest, "by": by, "reason": reason, "at": now()}
        connection.execute(ACTIVATION.insert().values(row))
    return digest


def roll_back(connection: sa.Connection, name: str, by: str, reason: str) -> str | None:
    """Put back what was in force before the newest activation of a definition; raises LookupError if there was nothing before."""
    kind, id = name.split("/", 1)
    mine = sa.select(ACTIVATION.c.hash).where(ACTIVATION.c.kind == kind, ACTIVATION.c.id == id)
    hashes = list(connection.scalars(mine.order_by(ACTIVATION.c.activation_id.desc()).limit(2)))
    if len(hashes) < 2:
        raise LookupError(f"{name} has no earlier version to go back to; see `vesper activate --list`")
    text = connection.scalar(sa.select(DEFINITION.c.text).where(DEFINITION.c.hash == hashes[1]))
    return activate(connection, name, text, by, reason)


def text_of(connection: sa.Connection, hash: str) -> tuple[str, str] | None:
    """The name and the text of a version by its whole hash; None where none is kept."""
    row = connection.execute(sa.select(DEFINITION).where(DEFINITION.c.hash == hash)).first()
    return (f"{row.kind}/{row.id}", row.text) if row else None


def _keep(connection: sa.Connection, kind: str, id: str, text: str) -> None:
    known = connection.scalar(sa.select(DEFINITION.c.hash).where(DEFINITION.c.hash == hash_of(text)))
    if known is None:
        connection.execute(DEFINITION.insert().values(hash=hash_of(text), kind=kind, id=id, text=text))


def _current(connection: sa.Connection, kind: str, id: str) -> str | None:
    query = sa.select(ACTIVATION.c.hash).where(ACTIVATION.c.kind == kind, ACTIVATION.c.id == id)
    return connection.scalar(query.order_by(ACTIVATION.c.activation_id.desc()).limit(1))
