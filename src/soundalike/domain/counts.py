"""Numbers of things, in messages."""

from collections.abc import Mapping

from soundalike.domain.listens import ListenKind

_DONE = {
    ListenKind.STARTED: ("play", "plays"),
    ListenKind.FINISHED: ("play to the end", "plays to the end"),
    ListenKind.SKIPPED: ("skip", "skips"),
    ListenKind.LIKED: ("like", "likes"),
    ListenKind.UNLIKED: ("like taken back", "likes taken back"),
    ListenKind.DISLIKED: ("dislike", "dislikes"),
    ListenKind.UNDISLIKED: ("dislike taken back", "dislikes taken back"),
    ListenKind.LESS: ('"less of this"', '"less of this"'),
}


def counted(number: int, noun: str) -> str:
    """Return a number with the noun that it counts, whose plural ends in s."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def counted_listens(numbers: Mapping[ListenKind, int]) -> str:
    """Return how often each thing was done: "7 plays, 4 skips, 1 like"."""
    parts = [
        f"{number:,} {_DONE[kind][number != 1]}" for kind in ListenKind if (number := numbers.get(kind, 0))
    ]
    return ", ".join(parts) or "no listens"


def counted_in_all(number: int) -> str:
    """Return a number of listens, of which nobody has counted how many are of each kind."""
    return f"{number:,} {'play, skip or like' if number == 1 else 'plays, skips and likes'}"
