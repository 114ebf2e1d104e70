"""Experiments: who falls into which arm, who is held out, and what the figures of the arms say.

What belongs here: assignment as Selects, statistics over a handful of counts, the verdict. What does not: the shape of a definition
(`vesper/model/experiment.py`), tables that people read (`vesper/marts/experiment*.py`), the ledger (`warehouse/ledger/experiment.py`).
"""
