"""A linkage as Splink reads it.

What belongs here: settings of Splink and its linker. What does not: training and scoring.
"""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from vesper.model.linkage import Linkage, LinkageModel
from warehouse.linkage.levels import MISSING, REST, SAME, levels
from warehouse.runner import Runner

if TYPE_CHECKING:
    from splink import Linker

UNLIKELY = 1e-9


class NotTrained(ValueError):
    """A linkage whose model says nothing, or nothing of one level of a comparison: its definition changed since it was trained."""

    def __init__(self, linkage: str, lacking: str | None = None) -> None:
        untrained = f"The linkage {linkage} has no model. Train it first."
        super().__init__(f"The model of {linkage} knows no level {lacking}. Train it again." if lacking else untrained)
        self.linkage, self.lacking = linkage, lacking


class NotTrainable(ValueError):
    """Rows from which a linkage cannot be learned: too few of them agree on what it is trained by."""


def scaled(linkage: Linkage, model: LinkageModel, records: int) -> LinkageModel:
    """The model as it holds among another number of records.

    A person has as many records in a larger base, but many more strangers stand beside it: the chance that two random records are one
    person falls, and so does the chance that strangers share a near-unique value.
    """
    ratio = model.records / records
    found = {name: dict(judged) for name, judged in model.levels.items()}
    for name, judged in found.items():
        if is_near_unique(linkage, name) and SAME in judged:
            same = judged[SAME]
            judged[SAME] = same.model_copy(update={"u": _bounded(same.u * ratio)})
    return LinkageModel(records=records, prior=_bounded(model.prior * ratio), levels=found)


def is_near_unique(linkage: Linkage, comparison: str) -> bool:
    """Whether a comparison judges one near-unique field."""
    fields = linkage.comparisons[comparison]
    return len(fields) == 1 and linkage.fields[fields[0]].is_near_unique


def _bounded(probability: float) -> float:
    return min(max(probability, UNLIKELY), 0.5)


def splink_settings(linkage: Linkage, model: LinkageModel | None) -> dict[str, Any]:
    """Splink's settings; without a model its own starting values. What a conflict of names takes off is no part of them (`weights.py`)."""
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "id",
        "probability_two_random_records_match": model.prior if model else 0.0001,
        "comparisons": [_comparison(linkage, model, name) for name in linkage.comparisons],
        "blocking_rules_to_generate_predictions": ["l.id = r.id"],
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": False,
    }


def _comparison(linkage: Linkage, model: LinkageModel | None, name: str) -> dict[str, Any]:
    known = model.levels.get(name, {}) if model else {}
    described: list[dict[str, Any]] = []
    for level, condition in levels(linkage, name).items():
        one: dict[str, Any] = {"sql_condition": "ELSE" if condition == REST else condition, "label_for_charts": level}
        if level == MISSING:
            one["is_null_level"] = True
        elif model and level not in known:
            raise NotTrained(linkage.id, f"{name}: {level}")
        elif model:
            one |= {"m_probability": known[level].m, "u_probability": known[level].u}
        described.append(one)
    return {"output_column_name": name, "comparison_levels": described}


@contextmanager
def linker_of(runner: Runner, table: str, settings: dict[str, Any]) -> Iterator["Linker"]:
    """Splink over a table of the runner; what it leaves behind there is dropped at the end."""
    # Imported here: a night without a linkage never loads Splink.
    from splink import DuckDBAPI, Linker, SettingsCreator

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        interface = DuckDBAPI(connection=runner.connection)
        linker = Linker(interface.register(table), SettingsCreator.from_path_or_dict(settings), log_level=logging.ERROR)
        try:
            yield linker
        finally:
            interface.delete_tables_created_by_splink_from_db()  # type: ignore[no-untyped-call]
