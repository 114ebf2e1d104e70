"""The report page of a night: what it shows (one module per part), the template and its style, the Excel of the people to ask.

What belongs here: reading Selects, wording and looks. What does not: any rule or Select (`vesper/measure.py`, `vesper/watch.py`).
Each part is read once and shown in both languages; a part without rows says so in a sentence.
"""

from typing import Any, Protocol

import sqlalchemy as sa


class Reader(Protocol):
    """Whatever gives the rows of a Select: the workbench of a stage, or a runner with everything bound."""

    def rows(self, select: Any, /) -> list[Any]: ...


Select = sa.Select[Any]
