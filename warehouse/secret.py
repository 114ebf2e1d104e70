"""The keys of a workspace, of its address hashes and of the links in its messages: from the environment, or from a file that only its owner can read.

What belongs here: finding the key, making it once. What does not: hashing (`vesper/address.py`), and whether the key is the ledger's
(`warehouse/ledger/suppression.py`).

Whoever has the ledger and the key can ask whether a given phone number is in it, so the two are backed up apart. Without the key no
suppression and no consent can be found again: there is no way to make it anew.
"""

import os
import secrets
from pathlib import Path

from vesper.address import AddressKey
from vesper.token import TokenKeys
from warehouse.durable import flush

VARIABLE = "VESPER_ADDRESS_KEY"
TOKEN_VARIABLE = "VESPER_TOKEN_KEYS"
FILE = "secret"
LEAST = 32


def address_key(store: Path) -> AddressKey:
    """The key of the workspace whose folder `.vesper` is `store`; made at first use, mode 0600, never made twice.

    VESPER_ADDRESS_KEY goes before the file. Raises LookupError with a sentence when either is too short to be a key.
    """
    given = os.environ.get(VARIABLE, "").strip()
    if given:
        return _checked(given, f"${VARIABLE}")
    path = store / FILE
    if not path.is_file():
        _make(path)
    return _checked(path.read_text(encoding="ascii").strip(), str(path))


def has_key(store: Path) -> bool:
    """Whether the workspace's key is there already; asking makes none."""
    return bool(os.environ.get(VARIABLE, "").strip()) or (store / FILE).is_file()


def token_keys(store: Path) -> TokenKeys:
    """The ring that links in messages are signed with: derived from the workspace's own key, unless VESPER_TOKEN_KEYS names secrets before it.

    The variable holds secrets with blanks between them, the newest first: the first signs, all verify, and so does the workspace's own key, so
    that rotating breaks no link of an older mail. The address key itself cannot be rotated. Raises LookupError when one is too short.
    """
    given = os.environ.get(TOKEN_VARIABLE, "").split()
    for secret in given:
        if len(secret) < LEAST:
            raise LookupError(f"${TOKEN_VARIABLE} holds a secret of fewer than {LEAST} characters; make it longer")
    return TokenKeys.of(*[secret.encode() for secret in given], address_key(store).secret)


def _checked(text: str, where: str) -> AddressKey:
    if len(text) < LEAST:
        raise LookupError(f"{where} has fewer than {LEAST} characters and is no address key; put the backup of it back")
    return AddressKey(text.encode())


def _make(path: Path) -> None:
    """Write whole, then link: a kill leaves no half key, and of two processes the second takes the first one's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{FILE}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, secrets.token_hex(LEAST).encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    flush(path.parent)
