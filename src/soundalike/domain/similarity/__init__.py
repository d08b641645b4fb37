"""Which tracks sound alike: spaces, exact neighbours, and how good they are; pure functions over arrays."""
