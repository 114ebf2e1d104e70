"""Telling an owner outside Prefect (R112): a failed stage, a night that did not start. One sentence; the notice never hides what it is about."""

from connectors.notify import notify
from vesper.model.workspace import Workspace


def tell_owner(workspace: Workspace, subject: str, sentence: str) -> str | None:
    """Send one notice to the owner; returns None, or one sentence on why it could not be sent."""
    try:
        notify(workspace, f"Vesper: {subject}", sentence, workspace.notices.owner)
    except Exception as error:
        return f"the notice could not be sent: {error}"
    return None
