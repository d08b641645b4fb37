"""How errors are answered and logged."""
