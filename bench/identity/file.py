"""A labelled file and the settings that were frozen for it: rows, cleaned, with the truth beside them.

What belongs here: reading both. What does not: linking.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import pyarrow as pa
import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict
from ruamel.yaml import YAML

from bench.identity.cleaning import cleaned
from vesper.identity.keys import comparable, identifiers, record_id, shared_keys
from vesper.model.identity import IdentityPolicy
from vesper.model.linkage import Linkage
from vesper.presets import PRESETS
from warehouse.lake import Lake
from warehouse.runner import Runner

FILE = "bench_file"
HALF = 8
Part = Literal["A", "B"]


class PlainSettings(BaseModel):
    """How plain Splink is set up: the settings of its own published example for the file, where there is one."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    comparisons: list[dict[str, Any]]
    """Name of a comparison of Splink's library -> its arguments; `tf: true` asks for term frequencies."""
    blocking: list[str]
    """SQL of its blocking rules."""
    training: list[str]
    """SQL of the rules whose pairs teach it."""
    certain: list[str]
    """SQL of the rules that its prior comes from."""
    recall: float
    """Share of the true pairs that they find."""


class BenchSettings(BaseModel):
    """One file of bench/identity_settings."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    says: str
    owner: str
    key: str
    """Column that names the row."""
    truth_pattern: str | None = None
    """The truth is the first group of this pattern in its column; the whole column where it is missing."""
    columns: dict[str, str] = {}
    """Field of a source record -> column: then rows are cleaned as contacts and keys link. Otherwise the linkage reads the file's columns."""
    linkage: dict[str, Any]
    plain: PlainSettings

    def linkage_of(self, id: str) -> Linkage:
        """The linkage, without a model: the bench trains."""
        return Linkage.model_validate({"id": id, "says": self.says, "owner": self.owner, **self.linkage})


def read_settings(file: Path) -> BenchSettings:
    """The settings of a file. Raises pydantic's error for what is not understood."""
    return BenchSettings.model_validate(YAML(typ="safe").load(file.read_text(encoding="utf-8")))


@dataclass(frozen=True)
class Labelled:
    """Rows to link, with the truth that only the figures see.

    Attributes:
        records: `record`, then the columns that are compared.
        truth: (record, truth).
        identifier: every key of every row, where the file holds contacts.
        shared: keys that name a place.
        names: (record, name), where the file holds contacts.
    """

    records: sa.Table
    truth: pa.Table
    identifier: sa.Table | None = None
    shared: sa.Table | None = None
    names: sa.Table | None = None


@contextmanager
def opened() -> Iterator[Runner]:
    """A runner over a lake that is thrown away."""
    with TemporaryDirectory(prefix="vesper-identity-") as folder:
        lake = Lake(Path(folder) / "lake", sa.create_engine("sqlite://"))
        with Runner(lake) as runner:
            yield runner


def identity_policy() -> IdentityPolicy:
    """The policy that ships."""
    text = (PRESETS / "policy" / "identity.yml").read_text(encoding="utf-8")
    return IdentityPolicy.model_validate({"id": "identity", **YAML(typ="safe").load(text)})


def read(
    runner: Runner, file: Path, truth: str, settings: BenchSettings, linkage: Linkage, part: Part | None
) -> Labelled:
    """A file's rows as they are linked."""
    raw = _bound(runner, file, truth, settings, part)
    if not settings.columns:
        compared = [column for column in raw.c if column.name not in (truth, "_truth", settings.key)]
        chosen = sa.select(raw.c[settings.key].label("record"), *compared)
        records = runner.materialize(chosen, "bench_compared")
        return Labelled(records, _truth(runner, raw, raw.c[settings.key]))
    return _contacts(runner, raw, settings, linkage)


def _contacts(runner: Runner, raw: sa.Table, settings: BenchSettings, linkage: Linkage) -> Labelled:
    policy = identity_policy()
    rows = cleaned(runner, raw, {"key": settings.key, **settings.columns})
    identifier = runner.materialize(identifiers(rows, policy), "bench_identifier")
    shared = runner.materialize(shared_keys(identifier, policy), "bench_shared")
    ids = [name for name in ("openid", "unionid", "crm_id") if name in settings.columns]
    columns = dict.fromkeys([*(field.column for field in linkage.fields.values()), *ids])
    records = runner.materialize(comparable(rows, shared, policy, list(columns)), "bench_compared")
    names = runner.materialize(sa.select(record_id(rows).label("record"), rows.c.name_key.label("name")), "bench_name")
    record = sa.literal("file:") + raw.c[settings.key]
    return Labelled(records, _truth(runner, raw, record), identifier, shared, names)


def _truth(runner: Runner, raw: sa.Table, record: sa.ColumnElement[Any]) -> pa.Table:
    return runner.arrow(sa.select(record.label("record"), raw.c["_truth"].label("truth")).order_by(record))


def _bound(runner: Runner, file: Path, truth: str, settings: BenchSettings, part: Part | None) -> sa.Table:
    """The file as texts without blanks around them, an empty cell being nothing; `_truth` beside them."""
    name = str(file).replace("'", "''")
    source = f"read_parquet('{name}')" if file.suffix == ".parquet" else f"read_csv('{name}', all_varchar=true)"
    columns = [row[0] for row in runner.query(f"describe from {source}").fetchall()]
    if truth not in columns:
        raise SystemExit(f"{file.name} has no column {truth}; it has {', '.join(columns)}.")
    texts = ", ".join(f'nullif(trim(cast("{column}" as varchar)), \'\') as "{column}"' for column in columns)
    held = f'trim(cast("{truth}" as varchar))'
    labelled = f"regexp_extract({held}, '{settings.truth_pattern}', 1)" if settings.truth_pattern else held
    where = f"where substr(md5(_truth), 1, 1) {'<' if part == 'A' else '>='} '{HALF}'" if part else ""
    runner.query(
        f'create or replace temp table {FILE} as select * from (select {texts}, {labelled} as "_truth" from {source}) {where}'
    )
    runner.bound[FILE] = file.name
    return sa.Table(FILE, sa.MetaData(), *[sa.Column(column, sa.String) for column in [*columns, "_truth"]])
