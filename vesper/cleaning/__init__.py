"""Cleaning as SQL expressions: phone, mail, region, name. Each normaliser is idempotent (R9) and judges rather than guesses."""
