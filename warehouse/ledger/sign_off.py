"""Sign-offs: which set of scoring rules marketing and sales agreed to, and the guard that asks for both before a set comes into force (R56).

What belongs here: rows of `sign_off`, and the guard inside an activating transaction. What does not: who may sign, and the words of a refusal
(`tasks/sign_off.py`).
"""

from collections.abc import Mapping

import sqlalchemy as sa

from vesper.clock import now
from vesper.definition_hash import SCORING, set_hash
from vesper.presets import preset_text
from warehouse.ledger.definitions import hash_of, in_force
from warehouse.ledger.schema import SIGN_OFF

KIND = "scoring"
ROLES = ("marketing", "sales")


class NotSignedOff(LookupError):
    """A scoring set that lacks a sign-off: its hash, and the roles that have not signed."""

    def __init__(self, hash: str, missing: tuple[str, ...]) -> None:
        super().__init__(
            f"the scoring set {hash} is not signed off by {' and '.join(missing)}; "
            f"each of them reads it and runs `vesper sign-off scoring {hash} --role {missing[0]} --by NAME`"
        )
        self.hash, self.missing = hash, missing


def scoring_set(hashes: Mapping[str, str]) -> str:
    """Hash of the scoring rules and policy/scoring among definitions by name -> hash of text; mart__score carries the same one."""
    return set_hash(hashes, *SCORING)


def scoring_in_force(connection: sa.Connection) -> str:
    """Hash of the scoring set in force."""
    return scoring_set(_hashes(connection))


def sign(connection: sa.Connection, hash: str, role: str, by: str, reason: str = "") -> None:
    """Record that a person agreed for a role to exactly this set; the same statement twice is one row."""
    same = [SIGN_OFF.c[name] == value for name, value in (("kind", KIND), ("hash", hash), ("role", role), ("by", by))]
    if connection.scalar(sa.select(SIGN_OFF.c.sign_off_id).where(*same)) is None:
        row = {"kind": KIND, "hash": hash, "role": role, "by": by, "reason": reason, "at": now()}
        connection.execute(sa.insert(SIGN_OFF).values(row))


def signed_by(connection: sa.Connection, hash: str) -> dict[str, str]:
    """Role -> who signed the set first."""
    mine = sa.select(SIGN_OFF.c.role, SIGN_OFF.c.by).where(SIGN_OFF.c.kind == KIND, SIGN_OFF.c.hash == hash)
    return {row.role: row.by for row in connection.execute(mine.order_by(SIGN_OFF.c.sign_off_id.desc()))}


def must_be_signed(connection: sa.Connection, before: str) -> None:
    """Refuse, inside the activating transaction, a scoring set other than `before` that not both roles signed (NotSignedOff).

    A company without rules and policy of its own has nothing to agree to.
    """
    hashes = _hashes(connection)
    hash = scoring_set(hashes)
    if hash == before or not says_anything(hashes):
        return
    missing = missing_roles(connection, hash)
    if missing:
        raise NotSignedOff(hash, missing)


def missing_roles(connection: sa.Connection, hash: str) -> tuple[str, ...]:
    """The roles that have not signed a set."""
    signed = signed_by(connection, hash)
    return tuple(role for role in ROLES if role not in signed)


def says_anything(hashes: Mapping[str, str]) -> bool:
    """Whether a company says anything of scoring itself: without rules and policy of its own there is nothing to sign."""
    shipped = {"policy/scoring": hash_of(preset_text("policy", "scoring") or "")}
    mine = {name: hash for name, hash in hashes.items() if name in SCORING or name.split("/")[0] in SCORING}
    return not mine.items() <= shipped.items()


def _hashes(connection: sa.Connection) -> dict[str, str]:
    return {item.name: item.hash for item in in_force(connection)}
