"""The ledger's experiments as a night sees them: bound as Arrow at its start, never attached. The ledger stays the truth."""

from vesper.tables.declare import DATE, INSTANT, INTEGER, TEXT, column, table

RAW_ASSIGNMENT = table(
    "raw_vesper__experiment_assignment",
    column("assignment_id", INTEGER, "The assignment's number in the ledger", required=True),
    column("experiment_id", TEXT, "Experiment", required=True),
    column("contact_id", TEXT, "Golden contact when it was assigned", required=True),
    column("arm_id", TEXT, "Arm", required=True),
    column("business_on", DATE, "Night that assigned", required=True),
    column("planned_at", INSTANT, "When it was assigned (UTC)", required=True),
    grain=("experiment_id", "contact_id"),
    owner="marketing",
    says="Who fell into which arm of an experiment, as it stood when this copy was taken (R92).",
)

RAW_DECISION = table(
    "raw_vesper__experiment_decision",
    column(
        "decision_id", INTEGER, "The decision's number in the ledger; the newest of an experiment holds", required=True
    ),
    column("experiment_id", TEXT, "Experiment", required=True),
    column("arm_id", TEXT, "The winner; empty where the decision before is taken back"),
    column("business_on", DATE, "Night whose figures it rests on", required=True),
    column("by", TEXT, "Who decided", required=True),
    column("reason", TEXT, "Why", required=True),
    column("at", INSTANT, "When it was decided (UTC)", required=True),
    grain=("decision_id",),
    owner="marketing",
    says="Winners of experiments, as they stood when this copy was taken (R92).",
)
