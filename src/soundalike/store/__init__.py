"""Stores: SQLite, and MongoDB."""
