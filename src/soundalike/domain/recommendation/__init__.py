"""What to play next, and why: pure functions over arrays, profiles and tracks."""
