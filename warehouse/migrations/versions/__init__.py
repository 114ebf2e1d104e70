"""Revisions of the ledger, oldest first."""
