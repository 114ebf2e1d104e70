"""Journeys: who enters, who moves where, what they are to get; each a pure Select over copies of the ledger and the facts of the night.

What belongs here: the Selects of one turn. What does not: running them until nobody moves (`tasks/journey_turn.py`), keeping what came of it
(`warehouse/ledger/journey.py`).

Time here is that of the facts: somebody whose wait of three days is over at 10:03 goes on at 10:03, whenever the turn runs that finds it.
So one turn a day takes everybody the same way as a turn every minute.
"""
