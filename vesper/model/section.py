"""What every section of vesper.toml shares: nothing but its own keys, nothing changes after reading, and no secret stands in it.

What belongs here: the base and how a secret is named. What does not: any one section (`workspace.py`, `channel.py`).
"""

import re

from pydantic import BaseModel, ConfigDict

from vesper.problem import wrong

VARIABLE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")


class Section(BaseModel):
    """One section of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def elsewhere(value: str) -> str:
    """A setting that is secret, unchanged when it is empty or names a variable of the environment; raises the error that `check` shows."""
    if value and not VARIABLE.fullmatch(value):
        raise wrong(
            "A secret never stands in a file.", "Write a variable of the environment such as ${{SMTP_PASSWORD}}."
        )
    return value
