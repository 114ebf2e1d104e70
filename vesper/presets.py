"""The definitions that ship with Vesper, in `definitions/`: lifecycles any company may name, policies it takes where it has none of its own.

What belongs here: where they stand. What does not: reading and resolving them (`load.py`).
"""

from pathlib import Path

PRESETS = Path(__file__).parent.parent / "definitions"


def preset_ids(kind: str) -> set[str]:
    """Ids of the shipped definitions of a kind."""
    return {file.stem for file in (PRESETS / kind).glob("*.yml")}


def preset_text(kind: str, id: str) -> str | None:
    """The text of a shipped definition; None where there is none of that name."""
    file = PRESETS / kind / f"{id}.yml"
    return file.read_text(encoding="utf-8") if file.is_file() else None
