"""Probabilistic record linkage: weights of evidence that two records are one person, by Splink on the runner's own connection.

What belongs here: parts of values, levels of agreement, blocking, training, scoring. What does not: what a linkage says (`vesper/model/linkage.py`)
and what follows from a weight (`vesper/identity/clusters.py`). Only a workspace with a linkage imports this room.
"""

from warehouse.linkage.blocking import near_values
from warehouse.linkage.scoring import scored
from warehouse.linkage.settings import NotTrainable, NotTrained
from warehouse.linkage.training import train

__all__ = ["NotTrainable", "NotTrained", "near_values", "scored", "train"]
