"""What is wrong with a definition, where, and what would be right.

What belongs here: the shape of a problem and of the error that carries problems. What does not: finding them (`check.py`) and wording
pydantic's own errors (`sentences.py`).
"""

from dataclasses import dataclass

from pydantic_core import PydanticCustomError


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong. `file` is relative to the workspace where it lies inside it; `line` counts from 1; `instead` says what would be right."""

    file: str
    line: int
    what: str
    instead: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what} {self.instead}".rstrip()


class DefinitionsInvalid(Exception):
    """Definitions that cannot be used; nothing of them was loaded. Its text is one line for each problem."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


def wrong(what: str, instead: str = "", **facts: str | int) -> PydanticCustomError:
    """The error that a model's own validator raises: two English message ids with {names}, translated when it is shown (R111)."""
    return PydanticCustomError("vesper", f"{what} {instead}".rstrip(), {"_what": what, "_instead": instead, **facts})
