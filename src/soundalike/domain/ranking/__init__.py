"""Orders of tracks to play: pure functions over arrays, profiles and tracks."""
