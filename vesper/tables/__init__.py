"""Every raw and core table, declared once: columns, grain, owner, description, checks."""
