"""Ledgers of both kinds, as the tests of sending have them."""

from tests.send.conftest import any_ledger, ledger, postgres_server

__all__ = ["any_ledger", "ledger", "postgres_server"]
