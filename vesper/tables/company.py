"""Companies that contacts work for, with their parent and their role (R117)."""

from vesper.tables.declare import INTEGER, TEXT, column, table

COMPANY = table(
    "core__company",
    column(
        "company_id", TEXT, "Company; made from its key, so it stays while the name is written alike", required=True
    ),
    column("name", TEXT, "Name as the surviving row states it", required=True),
    column("company_key", TEXT, "Name as it is compared: without legal form, brackets and blanks", required=True),
    column("domain", TEXT, "Its domain as stated, else the one that its people and nobody else have mail at"),
    column("industry", TEXT, "Industry as the source names it"),
    column("province", TEXT, "Province, short form (R8)"),
    column("city", TEXT, "City, short form (R8)"),
    column("employee_count", INTEGER, "Employees", between=(0, 10_000_000), severity="warning"),
    column("parent_id", TEXT, "Company that it belongs to, declared or known from a branch's name; never in a ring"),
    column("role", TEXT, "What it is to us as the source declares it: customer, distributor, buying_center, ..."),
    grain=("company_id",),
    owner="data",
    says="One row for each company that a source names, by contacts or by itself.",
)
