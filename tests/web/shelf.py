"""Albums, artists and genres, for tests of lists and pages."""

from typing import Any

from soundalike.domain.catalogue import own_entry
from soundalike.domain.tags import Tags
from soundalike.domain.tracks import Track
from web.stage import Stage


def put(stage: Stage, track_id: str, *, has_file: bool = True, size_bytes: int = 5, **tags: Any) -> Track:
    """Save a track with these tags."""
    made = Tags(**tags)
    return stage.add_tagged(
        track_id, tags=made, entry=own_entry(made), has_file=has_file, size_bytes=size_bytes
    )


def fill_shelf(stage: Stage) -> None:
    """Add an album of two discs in two formats, a compilation, and a track without a file."""
    for disc, number in ((1, 1), (1, 2), (2, 1)):
        for size_bytes in (5, 500):
            put(
                stage,
                f"box-{disc}-{number}-{size_bytes}",
                title=f"Box {disc}.{number}",
                artists=("Ann", "Bob") if number == 2 else ("Ann",),
                album="Box",
                album_artist="Ann",
                genres=("Rock",),
                genre_parents={"Rock": "Music"},
                year=1990,
                disc_number=disc,
                track_number=number,
                size_bytes=size_bytes,
            )
    for number, name in enumerate(("Cid", "Dee", "Eve"), start=1):
        put(
            stage,
            f"mix-{number}",
            title=f"Mix {number}",
            artists=(name,),
            album="Mix",
            genres=("Pop",),
            year=2000,
            track_number=number,
            is_compilation=True,
        )
    put(stage, "bare", title="Bare", artists=("Ann",), genres=("Music",), has_file=False)
    stage.settle_catalogue()
