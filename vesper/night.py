"""What a stage decision may know of the night it stands in. No clock, no paths into the lake, no engine."""

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vesper.clock import cutoff_at
from vesper.definition_set import DefinitionSet
from vesper.model.workspace import Workspace

if TYPE_CHECKING:
    from vesper.shared import Shared


@dataclass(frozen=True)
class Night:
    """One business date of one company.

    `held` names the sources whose coverage has a hole tonight: what reads them keeps yesterday's rows (R106). `shared` is what the Selects of one
    stage share, where a stage makes it; it changes no row.
    """

    business_on: dt.date
    workspace: Workspace
    definitions: DefinitionSet
    held: frozenset[str] = frozenset()
    shared: "Shared | None" = field(default=None, compare=False)

    @property
    def zone(self) -> str:
        return self.workspace.company.zone

    @property
    def cutoff_at(self) -> dt.datetime:
        return cutoff_at(self.business_on, self.zone)

    def days_ago(self, days: int) -> dt.date:
        """The date so many days before the business date."""
        return self.business_on - dt.timedelta(days=days)
