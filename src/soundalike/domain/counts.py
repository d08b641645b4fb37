"""Numbers of things, in messages."""


def counted(number: int, noun: str) -> str:
    """Return a number with the noun that it counts, whose plural ends in s."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
