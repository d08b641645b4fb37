"""Audio and covers."""
