"""Parts of files as text, as both stores keep them."""

from soundalike.domain.files import Part


def part_to_text(part: Part | None) -> str:
    """Return start, end and rate of a part with spaces between them; empty for the whole file."""
    return "" if part is None else f"{part.start} {'' if part.end is None else part.end} {part.rate}"


def part_from_text(text: str) -> Part | None:
    """Undo `part_to_text`.

    Raises
    ------
    ValueError
        If it is damaged.
    """
    if not text:
        return None
    start, end, rate = text.split(" ")
    return Part(int(start), int(end) if end else None, int(rate))
