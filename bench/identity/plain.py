"""The other side of the identity bench: Splink as its manual sets it up, with connected components, on the same cleaned rows.

What belongs here: that. Its threshold is the best of several BY THE LABELS, which no user has: the figures are its upper bound.
"""

import logging
import warnings
from typing import Any

import pyarrow as pa

from bench.identity.file import Labelled, PlainSettings
from bench.identity.quality import aligned, quality
from warehouse.runner import Runner

THRESHOLDS = (0.01, 0.1, 0.5, 0.9, 0.95, 0.99, 0.999)
RANDOM_PAIRS = 1e6
SEED = 1


def best(runner: Runner, labelled: Labelled, settings: PlainSettings) -> dict[str, Any]:
    """Figures at the best threshold."""
    logging.getLogger("splink").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = [
            {**quality(*aligned(labels, labelled.truth)), "threshold": threshold}
            for threshold, labels in _partitions(runner, labelled, settings)
        ]
    return max(found, key=lambda figures: (figures["f1"], figures["threshold"]))


def _partitions(runner: Runner, labelled: Labelled, settings: PlainSettings) -> list[tuple[float, pa.Table]]:
    from splink import DuckDBAPI, Linker, SettingsCreator

    described = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="record",
        comparisons=[_comparison(one) for one in settings.comparisons],
        blocking_rules_to_generate_predictions=list(settings.blocking),  # type: ignore[arg-type]
        retain_matching_columns=False,
    )
    interface = DuckDBAPI(connection=runner.connection)
    linker = Linker(interface.register(labelled.records.name), described, log_level=logging.ERROR)
    linker.training.estimate_probability_two_random_records_match(list(settings.certain), recall=settings.recall)
    linker.training.estimate_u_using_random_sampling(max_pairs=RANDOM_PAIRS, seed=SEED)
    for rule in settings.training:
        linker.training.estimate_parameters_using_expectation_maximisation(rule)
    predicted = linker.inference.predict(threshold_match_probability=min(THRESHOLDS), warning_mode="never")
    return [(threshold, _labels(linker, predicted, threshold)) for threshold in THRESHOLDS]


def _labels(linker: Any, predicted: Any, threshold: float) -> pa.Table:
    groups = linker.clustering.cluster_pairwise_predictions_at_threshold(
        predicted, threshold_match_probability=threshold
    ).as_pyarrow_table()
    return pa.table({"record": groups["record"], "label": groups["cluster_id"]})


def _comparison(one: dict[str, Any]) -> Any:
    """A comparison of Splink's library by its name and arguments."""
    import splink.comparison_library as library

    ((name, arguments),) = one.items()
    asked = dict(arguments)
    tf = asked.pop("tf", False)
    made = getattr(library, name)(*asked.pop("of"), **asked)
    return made.configure(term_frequency_adjustments=True) if tf else made
