"""Audio by byte ranges."""
