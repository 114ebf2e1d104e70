"""Short messages, WeChat, WeCom and the other channels: what their calls were told, and who is to confirm."""

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Nothing yet."""
