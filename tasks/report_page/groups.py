"""Tags, tiers and personas on the page: how many people each stands for (R26, R28, R30)."""

from dataclasses import dataclass

from tasks.report_page import Reader
from vesper.key_figures import personas, tags, tiers
from vesper.model.persona import Persona
from vesper.model.segment import Group
from vesper.model.tag import Tag
from vesper.model.tier import Tier, Tiering
from vesper.night import Night


@dataclass(frozen=True)
class GroupView:
    """A tag or a persona, and its people."""

    group: Group
    people: int


@dataclass(frozen=True)
class TieringView:
    """A tiering with its tiers from the highest to the lowest; their people add up to everybody."""

    tiering: Tiering
    tiers: tuple[tuple[Tier, int], ...]


@dataclass(frozen=True)
class GroupsView:
    tags: tuple[GroupView, ...]
    personas: tuple[GroupView, ...]
    tierings: tuple[TieringView, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing of the kind is defined."""
        return not (self.tags or self.personas or self.tierings)


def read_groups(reader: Reader, night: Night) -> GroupsView:
    """Everything that is defined, the largest tags and personas first; a group without people is shown with none."""
    tagged = {row.tag_id: row.people for row in reader.rows(tags(night))}
    meant = {row.persona_id: row.people for row in reader.rows(personas(night))}
    stand = {(row.tiering_id, row.tier_id): row.people for row in reader.rows(tiers(night))}
    return GroupsView(
        _by_size([GroupView(each, tagged.get(id, 0)) for id, each in night.definitions.of(Tag).items()]),
        _by_size([GroupView(each, meant.get(id, 0)) for id, each in night.definitions.of(Persona).items()]),
        tuple(
            TieringView(each, tuple((tier, stand.get((id, tier.id), 0)) for tier in each.tiers))
            for id, each in night.definitions.of(Tiering).items()
        ),
    )


def _by_size(views: list[GroupView]) -> tuple[GroupView, ...]:
    return tuple(sorted(views, key=lambda view: (-view.people, view.group.id)))
