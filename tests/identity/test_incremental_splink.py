"""The same with weights by Splink: a trained model, real pairs, and a night on which rows come, change and go."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from bench.people import people as invented
from tests.identity.nights import POLICY, People, Row, record
from vesper.identity.keys import comparable, identifiers, shared_keys
from vesper.model.linkage import Linkage
from vesper.stage_report import StageFailed
from vesper.tables.contact import CONTACT_MEMBER, SOURCE_RECORD
from vesper.tables.identity import IDENTITY_LINK
from warehouse.linkage import train
from warehouse.runner import Runner

COUNT, SEED = 1500, 3
LINKAGE = Linkage.model_validate(
    {
        "id": "people", "says": "测试用。", "owner": "data@example.com",
        "fields": {
            "name": {"column": "name_key", "kind": "name"},
            "phone": {"column": "phone", "kind": "phone", "is_near_unique": True},
            "email": {"column": "email_key", "kind": "phone", "is_near_unique": True},
            "company": {"column": "company_key", "kind": "company"},
        },
        "comparisons": {"name": ["name"], "phone": ["phone"], "email": ["email"], "company": ["company"]},
        "blocking": [["phone"], ["email"], ["name", "company"]],
        "training": [["phone"], ["email"], ["name", "company"]],
        "certain": {"rules": [["phone", "name"]]},
    }
)  # fmt: skip


def rows(count: int) -> list[Row]:
    """Invented people as clean rows, in a fixed order."""
    found = []
    for one in invented(count, SEED).to_pylist():
        digits = "".join(c for c in one["phone"] or "" if c.isdigit())[-11:]
        phone = f"+86{digits}" if digits.startswith("1") else None
        said = {"name": one["name"], "email": one["email"], "company_key": one["company"], "city": one["city"]}
        found.append(record(str(one["unique_id"]), phone=phone, crm_id=one["crm_id"], unionid=one["unionid"], **said))
    return found


@pytest.fixture
def people(tmp_path: Path) -> Iterator[People]:
    found = People(tmp_path / "people", POLICY)
    yield found
    found.close()


def trained(people: People) -> Linkage:
    """A model of the rows of night 0."""
    with Runner(people.house.lake, 1) as runner:
        runner.bind_snapshot(SOURCE_RECORD, people.house.lake.in_force(SOURCE_RECORD.name))
        identifier = runner.materialize(identifiers(SOURCE_RECORD, POLICY), "identifier")
        shared = runner.materialize(shared_keys(identifier, POLICY), "shared")
        columns = [field.column for field in LINKAGE.fields.values()]
        records = runner.materialize(comparable(SOURCE_RECORD, shared, POLICY, columns), "records")
        return train(
            runner, sa.Table("records", sa.MetaData(), *[sa.Column(c.name, c.type) for c in records.c]), LINKAGE
        )


@pytest.mark.requirement("R5", "R6", "R13")
def test_a_night_that_grows_equals_a_full_rebuild_with_weights_by_splink(people: People) -> None:
    every = rows(COUNT)
    people.night(0, every[:-100])
    people.linkage = trained(people)
    people.night(1, every[:-100])
    changed = [{**row, "phone": None} for row in every[:40]]
    grown = [*changed, *every[80:]]
    full = people.night(2, grown, is_full=True, keep=False)
    assert people.night(2, grown) == full
    links = people.rows(IDENTITY_LINK, 2)
    assert {row["rule"] for row in links} >= {"linkage", "crm_id"}
    contacts = {row["contact_id"] for row in people.rows(CONTACT_MEMBER, 2)}
    assert len(grown) / 2 < len(contacts) < len(grown)


@pytest.mark.requirement("R119")
def test_a_night_with_weights_that_are_missing_or_of_an_older_linkage_says_how_to_get_them(people: People) -> None:
    people.night(0, rows(200))
    people.linkage = LINKAGE
    with pytest.raises(
        StageFailed, match=r"linkage/people has no weights yet; train it with `vesper train linkage people`"
    ):
        people.night(1, rows(200))
    people.linkage = trained(people)
    assert people.linkage.model is not None
    levels = {name: judged for name, judged in people.linkage.model.levels.items() if name != "company"}
    older = people.linkage.model.model_copy(update={"levels": levels})
    people.linkage = people.linkage.model_copy(update={"model": older})
    with pytest.raises(StageFailed, match=r"has no weight for company: same, since it changed after its training"):
        people.night(1, rows(200))
