"""Goals on the page: each business goal with the marketing goals that serve it, where it stood, stands and should stand (R24, R25)."""

from dataclasses import dataclass
from typing import Any

from tasks.report_page import Reader
from vesper.key_figures import goals
from vesper.model.goal import Goal
from vesper.night import Night


@dataclass(frozen=True)
class GoalView:
    """One goal tonight; a marketing goal stands under the business goal that it serves."""

    goal: Goal
    row: Any

    @property
    def way(self) -> float:
        """How much of the way is gone, for a bar: not below nothing and not beyond the whole."""
        return min(max(self.row.progress_ratio or 0.0, 0.0), 1.0)


def read_goals(reader: Reader, night: Night) -> list[GoalView]:
    """Tonight's goals that are still defined, a business goal first and its marketing goals after it."""
    known = night.definitions.of(Goal)
    return [GoalView(known[row.goal_id], row) for row in reader.rows(goals(night)) if row.goal_id in known]
