"""Stores: SQLite."""
