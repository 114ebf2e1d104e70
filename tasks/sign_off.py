"""Marketing and sales agree on the scoring rules before these come into force: signing, and what is said where a signature is missing (R56).

What belongs here: the actions and their words. What does not: the rows and the guard (`warehouse/ledger/sign_off.py`).
"""

from pathlib import Path

import sqlalchemy as sa

from vesper.language import Translate, translator
from vesper.load import definition_set, definition_texts
from vesper.model.workspace import Workspace
from vesper.stage_report import StageFailed
from warehouse.house import House
from warehouse.ledger.definitions import hash_of
from warehouse.ledger.engine import reading
from warehouse.ledger.sign_off import (
    ROLES,
    NotSignedOff,
    missing_roles,
    must_be_signed,
    says_anything,
    scoring_in_force,
    scoring_set,
    sign,
    signed_by,
)


def sign_off(root: Path, hash: str, role: str, by: str, reason: str = "") -> str:
    """Sign the scoring rules and policy/scoring for a role: those of the files, or the ones in force, by their hash.

    Raises LookupError for another role or a set that is neither; DefinitionsInvalid when the files are wrong.
    """
    house = House.open(root)
    _ = translator(house.workspace.company.language)
    try:
        if role not in ROLES or not by.strip():
            raise LookupError(_("Say for whom you sign, marketing or sales, and your name."))
        with house.engine.begin() as connection:
            found = _asked_for(root, connection, hash, _)
            sign(connection, found, role, by, reason)
            return _state(connection, found, _)
    finally:
        house.close()


def _asked_for(root: Path, connection: sa.Connection, hash: str, _: Translate) -> str:
    texts = definition_texts(root)
    definition_set(texts, _)  # nobody signs what cannot come into force
    files = scoring_set({name: hash_of(text) for name, text in texts.items()})
    known = [one for one in (files, scoring_in_force(connection)) if one.startswith(hash)]
    if not known:
        said = _("There is no scoring set {hash}: that of the files is {files}.")
        raise LookupError(said.format(hash=hash, files=files))
    return known[0]


def _state(connection: sa.Connection, hash: str, _: Translate) -> str:
    signed = signed_by(connection, hash)
    names = ", ".join(f"{role} ({by})" for role, by in sorted(signed.items()))
    said = _("Scoring set {hash}: signed off by {names}.").format(hash=hash, names=names)
    missing = missing_roles(connection, hash)
    if not missing:
        return said + " " + _("It may come into force: `vesper activate`.")
    return said + " " + _("Missing: {roles}.").format(roles=", ".join(missing))


def guard(connection: sa.Connection, workspace: Workspace, before: str) -> None:
    """Refuse, inside an activating transaction, a changed scoring set without both sign-offs; edited files of a development workspace pass."""
    if workspace.definitions.activate == "automatic":
        return
    try:
        must_be_signed(connection, before)
    except NotSignedOff as refused:
        raise told(refused, workspace) from refused


def told(refused: NotSignedOff, workspace: Workspace) -> StageFailed:
    """The refusal as one sentence in the company's language."""
    _ = translator(workspace.company.language)
    said = _(
        "The scoring set {hash} is not signed off by {roles}, so it does not come into force. Whoever answers for it reads the rules and runs "
        "`vesper sign-off scoring {hash} --role {role} --by NAME`."
    )
    return StageFailed(said.format(hash=refused.hash, roles=", ".join(refused.missing), role=refused.missing[0]))


def sign_offs_missing(root: Path) -> list[str]:
    """What `check` says of a scoring set of the files that waits for a signature; nothing where none is needed."""
    house = House.open(root)
    _ = translator(house.workspace.company.language)
    try:
        with reading(house.engine) as connection:
            hashes = {name: hash_of(text) for name, text in definition_texts(root).items()}
            files = scoring_set(hashes)
            is_asked = house.workspace.definitions.activate == "recorded" and says_anything(hashes)
            waits = is_asked and files != scoring_in_force(connection)
            missing = missing_roles(connection, files) if waits else ()
    finally:
        house.close()
    said = _("- The scoring set {hash} waits for the sign-off of {roles}.")
    return [said.format(hash=files, roles=", ".join(missing))] if missing else []
