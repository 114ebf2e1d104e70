"""The ledger's journeys, coupons and nurture tasks as a turn sees them: bound as Arrow at its start, never attached. The ledger stays the truth."""

from vesper.tables.declare import DATE, FLAG, INSTANT, INTEGER, TEXT, column, table

STATES = ("active", "done", "goal", "exited", "expired")
TASKS = ("visit", "demo", "trial", "call")
OCCURRENCE = (1, 100_000)

RAW_JOURNEY_ENTRY = table(
    "raw_vesper__journey_entry",
    column("journey_id", TEXT, "Journey", required=True),
    column("contact_id", TEXT, "Golden contact when it entered", required=True),
    column("occurrence", INTEGER, "Which time the contact entered, from 1", required=True, between=OCCURRENCE),
    column("definition_hash", TEXT, "Version of the journey that the contact stays on", required=True),
    column("business_on", DATE, "Night that entered, or the day of the tick", required=True),
    column("entered_at", INSTANT, "When it entered, by the facts (UTC)", required=True),
    column("step_id", TEXT, "Step where it stands, or stood last", required=True),
    column("step_since_at", INSTANT, "When it came to that step (UTC)", required=True),
    column("due_at", INSTANT, "When its wait is over at the latest (UTC)"),
    column("state", TEXT, "Whether it is still on the way, and how it ended", required=True, among=STATES),
    column("reason", TEXT, "Exit or limit that ended it"),
    column("ended_at", INSTANT, "When it ended (UTC)"),
    column("inbox_id", INTEGER, "Row of the inbox that entered it"),
    column("number", INTEGER, "Which step of its way it stands at", required=True),
    column("lapsed_on", DATE, "First night on which the condition that entered it no longer held"),
    grain=("journey_id", "contact_id", "occurrence"),
    owner="marketing",
    says="The ledger's journey entries, as they stood when this copy was taken.",
)

RAW_JOURNEY_VISIT = table(
    "raw_vesper__journey_visit",
    column("journey_id", TEXT, "Journey", required=True),
    column("contact_id", TEXT, "Golden contact when it entered", required=True),
    column("occurrence", INTEGER, "Which time the contact entered, from 1", required=True, between=OCCURRENCE),
    column("number", INTEGER, "Which step of its way, from 1", required=True),
    column("step_id", TEXT, "Step", required=True),
    column("at", INSTANT, "When it came to the step (UTC)", required=True),
    column("business_on", DATE, "Night or day of the turn that brought it there", required=True),
    column("outcome", TEXT, "What the step decided"),
    column("due_at", INSTANT, "The step's limit (UTC)", required=True),
    column("left_at", INSTANT, "When it left the step, by the facts (UTC)"),
    column("handled_at", INSTANT, "When a turn found that it had left (UTC)"),
    grain=("journey_id", "contact_id", "occurrence", "number"),
    owner="marketing",
    says="The way of everybody through a journey, as it stood when this copy was taken.",
)

RAW_COUPON = table(
    "raw_vesper__coupon",
    column("pool_id", TEXT, "Pool", required=True),
    column("code", TEXT, "Code", required=True),
    column("contact_id", TEXT, "Who has it", required=True),
    column("reference", TEXT, "Journey, step and occurrence that gave it", required=True),
    column("given_at", INSTANT, "When it was given (UTC)", required=True),
    column("expires_at", INSTANT, "Until when it is good (UTC)"),
    column("redeemed_at", INSTANT, "When it was redeemed (UTC)"),
    grain=("pool_id", "code"),
    owner="marketing",
    says="Coupons that somebody has, as they stood when this copy was taken; codes in stock are not here.",
    personal=("code",),
)

RAW_NURTURE_TASK = table(
    "raw_vesper__nurture_task",
    column("task_id", TEXT, "Task, derived from journey, contact, step and occurrence", required=True),
    column("journey_id", TEXT, "Journey", required=True),
    column("contact_id", TEXT, "Golden contact when it was opened", required=True),
    column("occurrence", INTEGER, "Which time the contact entered, from 1", required=True, between=OCCURRENCE),
    column("step_id", TEXT, "Step that asks for it", required=True),
    column("kind", TEXT, "What is to be done", required=True, among=TASKS),
    column("owner", TEXT, "Who does it", required=True),
    column("business_on", DATE, "Night that opened it, or the day of the tick", required=True),
    column("opened_at", INSTANT, "When it was opened (UTC)", required=True),
    column("due_at", INSTANT, "When it should be done (UTC)", required=True),
    column("is_open", FLAG, "Still open", required=True),
    column("closed_at", INSTANT, "When it was closed (UTC)"),
    grain=("task_id",),
    owner="sales",
    says="What journeys ask colleagues to do, as it stood when this copy was taken.",
)
