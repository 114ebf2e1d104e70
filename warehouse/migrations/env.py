"""Alembic's environment: used by `alembic revision --autogenerate`; the program itself migrates through `warehouse.ledger.engine`."""

from alembic import context

from warehouse.ledger.engine import connect
from warehouse.ledger.schema import LEDGER


def run() -> None:
    """Run against the URL given as `-x url=...`."""
    url = context.get_x_argument(as_dictionary=True).get("url", "sqlite:///.vesper/ledger.db")
    with connect(url).begin() as connection:
        context.configure(connection=connection, target_metadata=LEDGER, render_as_batch=True)
        with context.begin_transaction():
            context.run_migrations()


run()
