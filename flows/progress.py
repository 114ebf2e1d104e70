"""How far a chain of stages has come: one progress artifact on the run, moved after each stage."""

from collections.abc import Callable
from contextlib import suppress
from typing import cast

from prefect.artifacts import ProgressArtifact, update_progress_artifact
from prefect.client.schemas.objects import Artifact


def progress_of(total: int) -> Callable[[], None]:
    """Begin at nothing; each call of what is returned is one stage done. A dashboard that does not answer stops nothing."""
    done = 0
    artifact: Artifact | None = None
    with suppress(Exception):
        artifact = cast(Artifact, ProgressArtifact(key="night-progress", progress=0.0).create(_sync=True))  # type: ignore[call-arg]

    def step() -> None:
        nonlocal done
        done += 1
        if artifact is not None:
            with suppress(Exception):
                update_progress_artifact(artifact.id, 100.0 * done / total, _sync=True)  # type: ignore[call-arg]

    return step
