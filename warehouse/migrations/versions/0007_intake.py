"""Links of letters, and what the web app takes in."""

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Nothing yet."""
