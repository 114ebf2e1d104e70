"""Identity as it stands after a night: links and vetoes between source records, ids that merged away, what merged and split, what needs a look."""

from vesper.tables.declare import DATE, FLAG, INTEGER, RATIO, TEXT, column, table

IDENTITY_LINK = table(
    "core__identity_link",
    column("record_a", TEXT, "Smaller record of the pair, written source:key", required=True),
    column("record_b", TEXT, "Larger record of the pair, written source:key", required=True),
    column("rule", TEXT, "What links them: a key such as card or phone, linkage, or steward", required=True),
    column("weight", INTEGER, "Weight of the evidence in thousandths of a bit (log2 of how likely)", required=True),
    grain=("record_a", "record_b", "rule"),
    patched=True,
    owner="data",
    says="Every link between two source records that tonight's identity stands on (R5, R6).",
)

IDENTITY_VETO = table(
    "dq__identity_veto",
    column("record_a", TEXT, "Smaller record of the pair, written source:key", required=True),
    column("record_b", TEXT, "Larger record of the pair, written source:key", required=True),
    column("rule", TEXT, "What speaks against: steward, an id that differs, or name", required=True),
    column("is_final", FLAG, "The two never share a contact; otherwise it weighs against it", required=True),
    grain=("record_a", "record_b", "rule"),
    owner="data",
    says="Pairs that something ties and something else speaks against: why two rows that look alike are two contacts (R6).",
)

SHARED_KEY = table(
    "dq__shared_key",
    column("kind", TEXT, "Kind of key, such as phone or email", required=True),
    column("value", TEXT, "The number or address", required=True),
    grain=("kind", "value"),
    owner="data",
    says="Phones and addresses that too many names share: a switchboard, a family, an office. They link nobody (R6).",
    personal=("value",),
)

CONTACT_ALIAS = table(
    "core__contact_alias",
    column("old_id", TEXT, "Contact id that was in use once", required=True),
    column("contact_id", TEXT, "Contact that holds its person now; empty when all its source rows are gone"),
    column("on", DATE, "Night on which the id was retired", required=True),
    column("founder", TEXT, "Source row by which the id would come back, written source:key", required=True),
    grain=("old_id",),
    owner="data",
    says="Where to find the person of a retired contact id. An id never comes back to another person (R13).",
)

MERGE_EVENT = table(
    "core__merge_event",
    column("business_on", DATE, "Night", required=True),
    column(
        "kind",
        TEXT,
        "merge: other_id went into contact_id; split: rows of contact_id went to other_id; steward_: the same on a steward's word",
        required=True,
        among=("merge", "split", "steward_merge", "steward_split"),
    ),
    column("contact_id", TEXT, "The contact that stays", required=True),
    column("other_id", TEXT, "The contact that merged into it, or that rows of it went to", required=True),
    column("rule", TEXT, "Strongest link that merged them, or veto that split them; empty when links only went away"),
    column("record_count", INTEGER, "Source rows that changed their contact", required=True, between=(1, None)),
    grain=("business_on", "kind", "contact_id", "other_id"),
    owner="data",
    cut="business_on",
    says="Every merge and split of contacts, night by night (R6).",
)

IDENTITY_COMPONENT = table(
    "dq__identity_component",
    column("contact_id", TEXT, "Contact", required=True),
    column("component", TEXT, "Smallest source row that evidence ties it to, directly or by others", required=True),
    grain=("contact_id",),
    owner="data",
    says="Contacts that evidence ties to other contacts while the rules of clustering keep them apart.",
)

IDENTITY_REVIEW = table(
    "dq__identity_review",
    column("contact_id", TEXT, "Contact whose source rows a steward should look at", required=True),
    column("record_count", INTEGER, "Its source rows", required=True, between=(1, None)),
    grain=("contact_id",),
    owner="data",
    says="Contacts that are unusually large, or hold facts that contradict each other (R6).",
)

IDENTITY_NIGHT = table(
    "core__identity_night",
    column("business_on", DATE, "Night", required=True),
    column(
        "version",
        TEXT,
        "Hash of the policy, the linkage and its scale; another one means a full rebuild",
        required=True,
    ),
    column("record_count", INTEGER, "Source rows resolved", required=True),
    column("contact_count", INTEGER, "Contacts that they make", required=True),
    column("contact_count_before", INTEGER, "Contacts of the night before", required=True),
    column("merged_count", INTEGER, "Contacts of the night before that merged into another one by rule", required=True),
    column("merged_ratio", RATIO, "Merged contacts per contact of the night before (0..1)", required=True),
    column("split_count", INTEGER, "Contacts that split off another one by rule", required=True),
    grain=("business_on",),
    owner="data",
    cut="business_on",
    says="Identity in figures, one row per night: too many merges in one night stop the gate (R6).",
)
