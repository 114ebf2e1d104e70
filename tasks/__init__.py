"""Stages as plain functions: read, run Selects, gate, publish, report. No rule and no SQL stands here, and no Prefect: flows wrap these."""
