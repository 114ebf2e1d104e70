"""A field of a run form: its title and its sentence. What a form does stands in the flow that has the field.

Titles and sentences are message ids: `deployments/` translates them into the workspace's language when it registers a form (R111).
Write plain words: Prefect's page renders them as markdown, where a line that starts with a sign becomes a quotation.
"""

from typing import Any

from pydantic import Field

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
