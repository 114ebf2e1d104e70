"""The one error of this room: a file that cannot be read, said in a sentence."""

from pathlib import Path


class SourceUnreadable(Exception):
    """A landed file that cannot be read: which file, what is wrong, what to do. Never quotes a row's content (it may be personal)."""

    def __init__(self, path: Path, wrong: str, remedy: str) -> None:
        self.path = path
        self.wrong = wrong
        self.remedy = remedy
        super().__init__(f"{path.parent.name}/{path.name}: {wrong}; {remedy}.")
