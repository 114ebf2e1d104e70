"""schemas/: JSON Schemas from the models, so that an editor completes and checks a definition while it is written.

One file per kind of definition, `segments.json` for `definitions/segments/*.yml`, and one per policy. `.vscode/settings.json` maps them to folders.
"""

import json
from pathlib import Path
from typing import Any

from vesper.model.definition import Definition
from vesper.model.kinds import KINDS, POLICIES

SETTINGS = ".vscode/settings.json"


def files() -> dict[str, str]:
    """Every generated schema by its path, and the editor's map of them."""
    models = {f"schemas/{kind}.json": model for kind, model in KINDS.items()}
    models |= {f"schemas/policy_{id}.json": model for id, model in POLICIES.items()}
    folders = {f"schemas/{kind}.json": f"**/definitions/{kind}/*.yml" for kind in KINDS}
    folders |= {f"schemas/policy_{id}.json": f"**/definitions/policy/{id}.yml" for id in POLICIES}
    settings = {"yaml.schemas": {f"./{file}": pattern for file, pattern in sorted(folders.items())}}
    return {**{file: text(schema_of(model)) for file, model in models.items()}, SETTINGS: text(settings)}


def schema_of(model: type[Definition]) -> dict[str, Any]:
    """The schema of one kind as it is written in a file: without `id`, which the file's name gives."""
    schema = model.model_json_schema()
    schema["properties"].pop("id", None)
    schema["required"] = [key for key in schema.get("required", []) if key != "id"]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def text(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def surplus(root: Path) -> list[str]:
    """Files in schemas/ that no kind stands behind any more."""
    known = files()
    return [f"schemas/{f.name}" for f in sorted((root / "schemas").glob("*.json")) if f"schemas/{f.name}" not in known]
