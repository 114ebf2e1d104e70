"""A field of a run form: its title and its sentence. What a form does stands in the flow that has the field.

Titles and sentences are message ids: `deployments/` translates them into the workspace's language when it registers a form (R111).
Write plain words: Prefect's page renders them as markdown, where a line that starts with a sign becomes a quotation.
"""

from pathlib import Path
from typing import Any

from pydantic import Field

from vesper.language import translator
from vesper.load import read_workspace

WORKSPACE = "The company's folder, the one that holds vesper.toml."
BUSINESS_ON = "The night to compute. Left empty: the night of the company's clock."


def field(title: str, says: str, default: Any = ...) -> Any:
    """A parameter's default that carries the field's title and description; without a default the field must be filled in."""
    return Field(default, description=says, json_schema_extra={"title": title})


def workspace() -> Any:
    """The field that every form has; the deployment fills it in."""
    return field("Workspace", WORKSPACE)


def business_on() -> Any:
    """The night of a stage's form."""
    return field("Business date", BUSINESS_ON, None)


def in_folder(workspace: Path, file: Path) -> Path:
    """The file that a form names, inside the company's folder; LookupError with one sentence where it lies outside: a form is open to everybody."""
    root = workspace.resolve()
    found = (root / file).resolve()
    if not found.is_relative_to(root):
        _ = translator(read_workspace(root).company.language)
        raise LookupError(_("{file} lies outside the company's folder; name a file inside it.").format(file=file))
    return found
