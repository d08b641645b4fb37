"""Use cases; they see only the domain and its ports."""
