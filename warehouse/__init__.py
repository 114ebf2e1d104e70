"""The two stores: the lake (immutable Parquet) and the ledger (transactions), and the runner that executes Selects between them."""
