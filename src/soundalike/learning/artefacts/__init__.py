"""Artefacts: what was learnt, as versioned folders."""
