"""The library: scan it, browse it, play it."""
