"""Event logs: where listens are kept for good."""
