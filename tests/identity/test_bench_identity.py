"""The identity bench: its figures on labels that can be counted by hand, and what it promises on published data (R5, R6)."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from bench.identity.file import opened, read, read_settings
from bench.identity.ours import clustered, linked, reached
from bench.identity.quality import aligned, quality

SETTINGS = Path("bench/identity_settings")


def figures(labels: str, truth: str) -> dict[str, float]:
    return quality(pa.chunked_array([list(labels)]), pa.chunked_array([list(truth)]))


def test_a_perfect_partition() -> None:
    found = figures("aabbc", "xxyyz")
    assert (found["precision"], found["recall"], found["f1"], found["b_cubed"], found["wrongly_placed"]) == (
        1,
        1,
        1,
        1,
        0,
    )


def test_a_partition_counted_by_hand() -> None:
    """Labels {1,2,3} and {4,5}; persons {1,2} and {3,4,5}: pairs found 4, true 4, in common 2; record 3 is misplaced."""
    found = figures("aaabb", "xxyyy")
    assert (found["precision"], found["recall"], found["wrongly_placed"]) == (0.5, 0.5, 1)
    assert found["b_cubed"] == pytest.approx(11 / 15, abs=1e-5)


def test_a_partition_of_other_records_is_refused() -> None:
    labels = pa.table({"record": ["a"], "label": ["a"]})
    with pytest.raises(ValueError, match="same records"):
        aligned(labels, pa.table({"record": ["b"], "truth": ["x"]}))


@pytest.mark.parametrize("file", sorted(SETTINGS.glob("*.yml")), ids=lambda file: file.stem)
def test_every_settings_file_is_a_linkage(file: Path, repository: Path) -> None:
    settings = read_settings(repository / file)
    assert settings.linkage_of(file.stem).model is None


def ours(file: Path, truth: str, settings: str, part: Any = None) -> dict[str, float]:
    chosen = read_settings(SETTINGS / f"{settings}.yml")
    linkage = chosen.linkage_of(settings)
    with opened() as runner:
        labelled = read(runner, file, truth, chosen, linkage, part)
        links, unlike, must = linked(runner, labelled, linkage)
        found = quality(*aligned(clustered(labelled, links, unlike, must, linkage), labelled.truth))
        return {**found, "reach": reached(labelled, links)[0]}


@pytest.mark.reference
@pytest.mark.requirement("R5", "R6")
@pytest.mark.parametrize("number", [1, 2, 3])
def test_febrl(reference_data: Path, number: int) -> None:
    found = ours(reference_data / "identity" / f"febrl_dataset{number}.csv", "rec_id", "febrl")
    assert found["f1"] >= 0.999


@pytest.mark.reference
@pytest.mark.requirement("R5", "R6")
def test_historical_persons_of_the_half_that_chose_nothing(reference_data: Path) -> None:
    found = ours(reference_data / "identity" / "historical_dev_half.parquet", "cluster", "historical", "B")
    assert found["f1"] >= 0.93
    assert found["precision"] >= 0.97
    assert found["reach"] >= 0.85


@pytest.mark.reference
@pytest.mark.requirement("R5", "R6")
def test_contacts_of_a_crm(reference_data: Path) -> None:
    found = ours(reference_data / "identity" / "synthetic_crm_100k.parquet", "truth", "crm")
    assert found["f1"] >= 0.960
    assert found["precision"] >= 0.997
    assert found["b_cubed"] >= 0.977


@pytest.mark.reference
@pytest.mark.requirement("R5", "R6")
def test_the_command_prints_one_object_with_both_sides(reference_data: Path, repository: Path) -> None:
    """On simulated persons, with the thresholds that were chosen on another file."""
    assert clusters_of("fake") == clusters_of("historical")
    file = reference_data / "identity" / "splink_fake_1000.csv"
    options = ["--truth", "cluster", "--settings", str(SETTINGS / "fake.yml"), "--json"]
    command = [sys.executable, "-m", "bench.identity", str(file), *options]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    wanted = {"precision", "recall", "f1", "b_cubed", "wrongly_placed", "cpu_s", "peak_mb"}
    assert wanted | {"blocking_ceiling"} <= found.keys()
    assert wanted <= found["plain"].keys()
    assert found["f1"] >= 0.95
    assert found["f1"] > found["plain"]["f1"]


def clusters_of(name: str) -> Any:
    return read_settings(SETTINGS / f"{name}.yml").linkage["clusters"]
