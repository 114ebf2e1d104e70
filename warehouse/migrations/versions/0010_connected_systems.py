"""Two-way exchange with a CRM and a call system."""

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Nothing yet."""
