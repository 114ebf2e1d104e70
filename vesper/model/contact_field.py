"""The fields of the golden contact that definitions may name. A test holds them against the table core__contact."""

from typing import Literal

ContactField = Literal[
    "card",
    "name",
    "phone",
    "email",
    "province",
    "city",
    "company_id",
    "company",
    "job_title",
    "owner",
    "age_band",
    "income_band",
    "household_size",
    "kids_count",
    "first_source",
]
