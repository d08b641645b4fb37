"""Similarity spaces, neighbours and artefacts."""
