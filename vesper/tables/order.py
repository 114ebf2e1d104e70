"""Orders: products, order lines, and their roll-up by day that keeps windows cheap."""

from vesper.tables.declare import DATE, INSTANT, INTEGER, MONEY, TEXT, column, table

PRODUCT = table(
    "core__product",
    column("product_code", TEXT, "Product code", required=True),
    column("department", TEXT, "Department"),
    column("brand", TEXT, "National or private brand"),
    column("category", TEXT, "Category; 540 of the grocer's products have none"),
    column("product_type", TEXT, "Type inside the category"),
    column("package_size", TEXT, "Size as printed"),
    grain=("product_code",),
    owner="data",
    says="The product catalogue, newest version of each product.",
    minimum_rows=0,
)

ORDER_LINE = table(
    "core__order_line",
    column("ordered_on", DATE, "Company day of the order", required=True),
    column("order_id", TEXT, "Order (basket)", required=True),
    column("line_number", INTEGER, "Position inside the order, from 1, by product code", required=True),
    column("contact_id", TEXT, "Golden contact; empty while the card is unknown"),
    column("product_code", TEXT, "Product code", required=True),
    column("category", TEXT, "Category of the product; empty when the catalogue does not know it"),
    column("quantity", INTEGER, "Units", required=True, between=(0, 100000), severity="warning"),
    column("amount", MONEY, "Paid for the line, in the company's currency", required=True),
    column("discount", MONEY, "All discounts of the line together"),
    column("ordered_at", INSTANT, "Time of the order (UTC)", required=True),
    grain=("ordered_on", "order_id", "line_number"),
    owner="data",
    says="Every order line. Zero quantities, amounts of zero and unknown products are kept and warned of.",
    cut="ordered_on",
)

ORDER_DAY = table(
    "core__order_day",
    column("ordered_on", DATE, "Company day", required=True),
    column("contact_id", TEXT, "Golden contact", required=True),
    column("order_count", INTEGER, "Orders of the day", required=True, between=(1, 1000)),
    column("line_count", INTEGER, "Order lines of the day", required=True),
    column("amount", MONEY, "Paid on the day", required=True),
    column("first_at", INSTANT, "First order of the day (UTC)", required=True),
    column("last_at", INSTANT, "Last order of the day (UTC)", required=True),
    grain=("ordered_on", "contact_id"),
    owner="data",
    says="Orders by contact and company day.",
    cut="ordered_on",
)
