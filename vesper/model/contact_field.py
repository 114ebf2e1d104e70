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
    "gender",
    "birth_on",
    "owner",
    "age_band",
    "income_band",
    "household_size",
    "kids_count",
    "first_source",
    "first_seen_on",
    "source_count",
]

CompanyField = Literal[
    "name",
    "domain",
    "industry",
    "province",
    "city",
    "employee_count",
    "parent_id",
    "role",
]
"""The fields of the contact's golden company that definitions may ask."""

OfTheCompany = Literal[
    "company.industry", "company.employee_count", "company.domain", "company.province", "company.city"
]
"""The fields of the contact's golden company that a market may require of a profile."""

MarketField = Literal[ContactField, OfTheCompany]
"""A field that makes a profile complete: the contact's own, or its company's, written `company.industry`."""
