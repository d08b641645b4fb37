"""Recommendations and similar tracks."""
