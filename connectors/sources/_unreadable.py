"""The one error of this room: a file that cannot be read or fetched, said in a sentence. Message ids are English; locales/ translates them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vesper.language import Translate


def _(message: str) -> str:
    """Marks a message id; it is translated when the sentence is made."""
    return message


WHOLE = _("{file}: {wrong}; {remedy}.")


@dataclass(frozen=True)
class Said:
    """A message id with the facts that fill its {names}; a fact may be a message itself."""

    message: str
    facts: dict[str, Any] = field(default_factory=dict)

    def said(self, translate: Translate) -> str:
        """The text in a language."""
        facts = {name: fact.said(translate) if isinstance(fact, Said) else fact for name, fact in self.facts.items()}
        return translate(self.message).format(**facts)

    def __str__(self) -> str:
        return self.said(str)


class SourceUnreadable(Exception):
    """A landed file that cannot be read: which file, what is wrong, what to do. Never quotes a row's content (it may be personal).

    Args:
        wrong: message id with {names} that `facts` fill.
        remedy: message id of what to do, filled by the same facts.
    """

    def __init__(self, path: Path, wrong: str, remedy: str, **facts: Any) -> None:
        self.path = path
        self.facts = facts
        parts = {"wrong": Said(wrong, facts), "remedy": Said(remedy, facts)}
        self.sentence = Said(WHOLE, {"file": f"{path.parent.name}/{path.name}", **parts})
        super().__init__(str(self.sentence))

    def said(self, translate: Translate) -> str:
        """The sentence in a language."""
        return self.sentence.said(translate)
