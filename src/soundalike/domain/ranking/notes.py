"""What a listener should know of a list as a whole."""

from collections.abc import Sequence

from soundalike.domain.recommendation.rules import key_of
from soundalike.domain.recommendation.slate import Candidate, Role

NOTHING_THERE = "the library is empty: run 'soundalike up' on a folder of music"


def describe(
    served: Sequence[Candidate],
    *,
    limit: int,
    left_out: int,
    disliked: int,
    has_cap_given_way: bool,
    has_seed: bool = False,
) -> str | None:
    """Say why a list is short, repeats, or is all by one artist; None where there is nothing to say.

    Parameters
    ----------
    served : sequence of Candidate
        The list.
    limit : int
        How many were asked for.
    left_out, disliked : int
        How many tracks the question left out, and the listener dislikes.
    has_seed : bool
        Whether a track was asked about, which is never in the list.
    has_cap_given_way : bool
        Whether an artist has more places than the cap allows.
    """
    if not served:
        return _why_nothing(left_out, disliked, has_seed=has_seed)
    notes = []
    repeats = sum(candidate.role is Role.REPEAT for candidate in served)
    if repeats == len(served):
        notes.append("all was played lately, so it comes again, the longest ago first")
    elif repeats:
        notes.append("there is little that is new, so what was played comes again, the longest ago first")
    elif len(served) < limit:
        notes.append("there is no more to play")
    elif served[0].role is Role.START:
        notes.append("nothing is known of your taste yet")
    artists = {key_of(candidate.track.artist) for candidate in served}
    if has_cap_given_way:
        only = "all is" if len(artists) == 1 else "much is"
        notes.append(f"{only} by one artist, for want of others")
    return "; ".join(notes) or None


def _why_nothing(left_out: int, disliked: int, *, has_seed: bool) -> str:
    reasons = []
    if disliked:
        reasons.append("disliked")
    if left_out:
        reasons.append("left out by the question")
    if reasons:
        return f"there is nothing to play: what there is, is {' or '.join(reasons)}"
    if has_seed:
        return "there is nothing to play but the track that was asked about"
    return "there is nothing to play: run 'soundalike up' on the folder of music"
