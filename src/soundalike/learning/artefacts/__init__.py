"""Artefacts: what was learned, as versioned folders."""
