"""The words of soundalike as frozen types and pure functions: no I/O, no clock, no randomness."""
