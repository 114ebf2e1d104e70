"""Writes `prefect.yaml` from the registry, for those who run Vesper on work pools: `python -m deployments.generate`.

The file is deployed from the folder of the house, with the workspace and its zone in the environment:
`VESPER_WORKSPACE=/data/company VESPER_ZONE=Asia/Shanghai prefect deploy --all`. `vesper up` does not read it.
"""

import io
import sys
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from deployments.registry import ALL, Deployment

FILE = Path(__file__).resolve().parent.parent / "prefect.yaml"
POOL = "vesper"
HEADER = (
    "# Generated from deployments/registry.py by `python -m deployments.generate`. Edit the registry, not this file.\n"
)


def document() -> dict[str, Any]:
    """The whole file as plain values."""
    return {
        "name": "vesper",
        "pull": [{"prefect.deployments.steps.set_working_directory": {"directory": "{{ $PWD }}"}}],
        "deployments": [_entry(deployment) for deployment in ALL],
    }


def text() -> str:
    """The file's text; equal registries give equal bytes."""
    yaml = YAML()
    yaml.width = 160
    yaml.indent(mapping=2, sequence=4, offset=2)
    written = io.StringIO()
    yaml.dump(document(), written)
    return HEADER + written.getvalue()


def _entry(deployment: Deployment) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": deployment.name,
        "description": deployment.says,
        "entrypoint": deployment.entrypoint,
        "tags": list(deployment.tags),
        "parameters": {"workspace": "{{ $VESPER_WORKSPACE }}", **deployment.parameters},
        "work_pool": {"name": POOL},
    }
    if deployment.cron:
        entry["schedules"] = [{"cron": deployment.cron, "timezone": "{{ $VESPER_ZONE }}"}]
    if deployment.one_at_a_time:
        entry["concurrency_limit"] = {"limit": 1, "collision_strategy": "CANCEL_NEW"}
    return entry


def main() -> int:
    """Write the file; with --check only compare, exit 1 when it is not current."""
    if "--check" in sys.argv:
        return 0 if FILE.is_file() and FILE.read_text(encoding="utf-8") == text() else 1
    FILE.write_text(text(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
