"""The tests: one folder per room, `house/` for the house itself. A test that proves a requirement carries its number."""
