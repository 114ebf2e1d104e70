"""The runner: registers every deployment of a workspace and starts its runs. A process of its own: `python -m deployments.serve WORKSPACE`.

What belongs here: turning registry entries into Prefect's deployments, in the workspace's language. Importing this module imports Prefect.
"""

import asyncio
import contextlib
import importlib
import os
import sys
from pathlib import Path
from typing import Any

from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.deployments.runner import RunnerDeployment
from prefect.exceptions import TerminationSignal
from prefect.runner import Runner
from prefect.schedules import Cron
from prefect.types.entrypoint import EntrypointType

from deployments.environment import ready_file
from deployments.registry import Deployment, deployments_of
from vesper.language import Translate, translator
from vesper.load import read_workspace
from vesper.model.workspace import Workspace

RUNS_AT_ONCE = 2


def runner_deployments(workspace: Workspace) -> list[RunnerDeployment]:
    """Every deployment of the workspace, ready to be registered."""
    _ = translator(workspace.company.language)
    return [runner_deployment(entry, workspace, _) for entry in deployments_of(workspace)]


def runner_deployment(entry: Deployment, workspace: Workspace, _: Translate) -> RunnerDeployment:
    """One entry as Prefect's deployment. Entrypoints are module paths, so that a run does not depend on the folder it starts in."""
    flow = getattr(importlib.import_module(entry.module), entry.function)
    one = (
        ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)
        if entry.one_at_a_time
        else None
    )
    deployment: RunnerDeployment = flow.to_deployment(
        entry.name,
        schedule=Cron(entry.cron, timezone=workspace.company.zone) if entry.cron else None,
        concurrency_limit=one,
        parameters={"workspace": str(workspace.root), **entry.parameters},
        description=_(entry.says) + "\n\n" + _(flow.description),
        tags=list(entry.tags),
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    schema = deployment._parameter_openapi_schema
    schema.properties = _translated(schema.properties, _)
    schema.definitions = _translated(schema.definitions, _)
    return deployment


def _translated(schema: Any, _: Translate) -> Any:
    """A form's schema with its titles and descriptions in the reader's language (R111)."""
    if isinstance(schema, list):
        return [_translated(item, _) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: _(value) if name in ("title", "description") and isinstance(value, str) else _translated(value, _)
        for name, value in schema.items()
    }


def main(root: Path) -> None:
    """Register everything, say so by the ready file, and run what is due, two runs at once, until told to stop. Schedules stay on when it stops."""
    runner = Runner(limit=RUNS_AT_ONCE, pause_on_shutdown=False)
    for deployment in runner_deployments(read_workspace(root)):
        runner.add_deployment(deployment, _sync=True)  # type: ignore[call-arg]
    ready_file(root).write_text(str(os.getpid()), encoding="utf-8")
    with contextlib.suppress(KeyboardInterrupt, TerminationSignal):
        asyncio.run(runner.start())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
