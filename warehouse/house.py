"""One company's house, opened: settings, ledger, lake, and the definitions in force. Everything a stage needs to start."""

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import sqlalchemy as sa

from vesper.address import AddressKey
from vesper.clock import cutoff_at, now, today
from vesper.definition_set import DefinitionSet
from vesper.language import translator
from vesper.load import definition_set, definition_texts, read_workspace
from vesper.misplaced import refuse_misplaced
from vesper.model.workspace import Workspace
from vesper.night import Night
from warehouse.lake import Lake
from warehouse.ledger import definitions as in_ledger
from warehouse.ledger.engine import open_ledger, reading
from warehouse.ledger.runs import close_crashed
from warehouse.ledger.sign_off import must_be_signed, scoring_in_force
from warehouse.ledger.suppression import take_key
from warehouse.secret import address_key


@dataclass
class House:
    """A workspace with its two stores. Open it where it is used; it is not passed between tasks."""

    workspace: Workspace
    engine: sa.Engine
    lake: Lake

    @classmethod
    def open(cls, root: Path) -> "House":
        """Open a workspace folder; raises a plain sentence when its vesper.toml is missing or wrong, or its address key is not the ledger's."""
        workspace = read_workspace(Path(root).resolve())
        engine = open_ledger(workspace.ledger_url, workspace.ledger.synchronous)
        take_key(engine, address_key(workspace.store))
        return cls(workspace, engine, Lake(workspace.store / "lake", engine))

    def close(self) -> None:
        self.engine.dispose()

    def tidy(self) -> None:
        """What the first holder of the run lock does: mark runs that a kill left as crashed, and sweep their drafts."""
        close_crashed(self.engine)
        self.lake.sweep()

    @cached_property
    def address_key(self) -> AddressKey:
        """The key that the ledger's address hashes are made with."""
        return address_key(self.workspace.store)

    @cached_property
    def definitions(self) -> DefinitionSet:
        """The definitions in force; in a development workspace the edited files come into force by themselves."""
        if self.workspace.definitions.activate == "automatic":
            self.activate_files()
        return self.definitions_at(None)

    def activate_files(self, by: str = "automatic", reason: str = "") -> list[str]:
        """Put every definition file of the workspace in force and withdraw those that are gone; returns the names that changed.

        Raises NotSignedOff for a changed scoring set, except where edited files come into force by themselves (R56).
        """
        texts = definition_texts(self.workspace.root)
        translate = translator(self.workspace.company.language)
        refuse_misplaced(self.workspace.root, translate)
        definition_set(texts, translate)  # one wrong file must not come into force
        with self.engine.begin() as connection:
            active, before = (
                {item.name: item.hash for item in in_ledger.in_force(connection)},
                scoring_in_force(connection),
            )
            changed = [name for name, text in texts.items() if active.get(name) != in_ledger.hash_of(text)]
            gone = sorted(active.keys() - texts.keys())
            for name in [*changed, *gone]:
                in_ledger.activate(connection, name, texts.get(name), by, reason)
            if self.workspace.definitions.activate == "recorded":
                must_be_signed(connection, before)
        return [*changed, *gone]

    def definitions_at(self, activation_id: int | None) -> DefinitionSet:
        """The definitions that were in force after an activation; None means now."""
        with reading(self.engine) as connection:
            return definition_set({item.name: item.text for item in in_ledger.in_force(connection, activation_id)})

    def business_on(self) -> dt.date:
        """The business date of the workspace's clock: declared when simulated, otherwise today in the company's zone."""
        clock = self.workspace.clock
        if clock.mode == "simulated":
            if clock.simulated_on is None:
                raise ValueError('vesper.toml: [clock] mode is "simulated", so simulated_on must name the date to play')
            return clock.simulated_on
        return today(self.workspace.company.zone)

    def binds_on(self) -> dt.date:
        """The first night whose cut-off has not passed: what people decide now binds from it on. On a simulated clock the night that is played."""
        on = self.business_on()
        is_over = self.workspace.clock.mode == "live" and now() > cutoff_at(on, self.workspace.company.zone)
        return on + dt.timedelta(days=1) if is_over else on

    def night(self, business_on: dt.date, held: frozenset[str] = frozenset()) -> Night:
        return Night(business_on, self.workspace, self.definitions, held)
