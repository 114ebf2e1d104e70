"""What must be transactional: runs, snapshots and pointers, receipts, definitions in force, messages, consent, suppression."""
