"""Consolidate: from what sources say to one golden contact and its orders, campaigns and events. Decisions as Selects, one subject a file."""
