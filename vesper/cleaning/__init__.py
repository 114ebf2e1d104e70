"""Cleaning: phone, mail, region, name, company, moments. SQL reads nearly every value, Python each distinct one that is left over; both judge, neither guesses.

Every normaliser is idempotent (R9), and where two ways lead to a value they agree.
"""
