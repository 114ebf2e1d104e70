"""Identity: which source records are one person. Selects and plain algorithms; what runs them stands in warehouse/ and tasks/."""
