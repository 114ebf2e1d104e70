"""The truth about the composed contacts, kept aside for tests: which row is of whom, and whose profile can be complete. Never a source."""

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from examples.grocer.people import FIELDS
from examples.grocer.records import Record

CONTACT_COLUMNS = ("source", "record_key", "person", "household", "expected")
PEOPLE_COLUMNS = (
    "person",
    "household",
    "name",
    "phone",
    "email",
    "province",
    "city",
    *(f"has_{field}" for field in FIELDS),
    "is_complete",
)


def write_truth(folder: Path, records: Sequence[Record]) -> None:
    """`contacts.csv` (one line per source row that has a key), `people.csv` (one line per person), `summary.json` (counts)."""
    folder.mkdir(parents=True, exist_ok=True)
    contacts = {(one.source, one.key): _contact(one) for one in records if one.key}
    people = _people(records)
    _write(folder / "contacts.csv", CONTACT_COLUMNS, (contacts[key] for key in sorted(contacts)))
    _write(folder / "people.csv", PEOPLE_COLUMNS, people)
    (folder / "summary.json").write_text(json.dumps(_summary(records, people), indent=2) + "\n", encoding="utf-8")


def _contact(one: Record) -> tuple[str, ...]:
    return one.source, one.key, one.person.id, one.person.household, "live" if one.is_live else "quarantined"


def _people(records: Sequence[Record]) -> list[tuple[str, ...]]:
    """What each person's newest live rows give together."""
    newest = {(one.source, one.key): one for one in sorted(records, key=lambda one: one.on) if one.is_live}
    gives: dict[str, frozenset[str]] = {}
    for one in newest.values():
        gives[one.person.id] = gives.get(one.person.id, frozenset()) | one.gives
    persons = {one.person.id: one.person for one in newest.values()}
    return [
        (who, it.household, it.name, f"+86{it.phone}", it.email, it.place.province, it.place.city, *_flags(gives[who]))
        for who, it in sorted(persons.items())
    ]


def _flags(gives: frozenset[str]) -> Iterable[str]:
    yield from ("yes" if field in gives else "no" for field in FIELDS)
    yield "yes" if gives.issuperset(FIELDS) else "no"


def _summary(records: Sequence[Record], people: Sequence[tuple[str, ...]]) -> dict[str, object]:
    households = [one for one in people if one[1]]
    complete = sum(one[-1] == "yes" for one in households)
    rows: dict[str, int] = {}
    for one in records:
        rows[f"{one.source}/{one.on}"] = rows.get(f"{one.source}/{one.on}", 0) + 1
    return {
        "rows": dict(sorted(rows.items())),
        "live_keys": len({(one.source, one.key) for one in records if one.is_live}),
        "quarantined_rows": sum(not one.is_live for one in records),
        "people": len(people),
        "households": len(households),
        "households_complete": complete,
        "households_complete_ratio": round(complete / len(households), 4),
        "households_missing": {field: sum(one[7 + i] == "no" for one in households) for i, field in enumerate(FIELDS)},
    }


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
