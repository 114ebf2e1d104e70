"""A content named outright, or by a matrix that has one for each person (R78).

What belongs here: how a campaign and a step say which of the two. What does not: the matrix (`matrix.py`); conditions read campaigns, and a matrix
reads conditions.
"""

from typing import Annotated, Any

from pydantic import Discriminator, Tag

from vesper.model.definition import Name, Strict


class FromMatrix(Strict):
    """Instead of a content's id: the content that a matrix has for each person."""

    matrix: Name
    """The matrix."""


def _form_of_content(value: Any) -> str:
    """Which form was written, so that its errors speak of that form alone."""
    return "<matrix>" if isinstance(value, dict | FromMatrix) else "<content>"


Sent = Annotated[
    Annotated[Name, Tag("<content>")] | Annotated[FromMatrix, Tag("<matrix>")], Discriminator(_form_of_content)
]
"""What is sent: one content to everybody, or the one that a matrix has for each person."""
