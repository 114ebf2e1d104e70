"""The Chinese catalogues as tests look things up in them."""

from pathlib import Path

from babel.messages.pofile import read_po


def translated(repository: Path) -> set[str]:
    """Every message that a Chinese catalogue has a text for."""
    found = set()
    for catalogue in (repository / "locales" / "zh_CN" / "LC_MESSAGES").glob("*.po"):
        with catalogue.open(encoding="utf-8") as text:
            found |= {str(message.id) for message in read_po(text) if message.id and message.string}
    return found
