"""What an import says goes on where the file says nothing."""

import pytest

from soundalike.domain.tags import ExternalId, ExternalIdKind, Tags

ISRC = ExternalId(ExternalIdKind.ISRC, "GBAYE7300001")
IDS = {
    "artists": ExternalId(ExternalIdKind.ARTIST, "a"),
    "album_artist": ExternalId(ExternalIdKind.ALBUM_ARTIST, "b"),
    "album": ExternalId(ExternalIdKind.ALBUM, "c"),
}
IMPORTED = Tags(
    title="Song", artists=("Ada",), album="One", album_artist="Ada", external_ids=(ISRC, *IDS.values())
)


def test_what_is_missing_is_taken_with_its_ids() -> None:
    assert Tags().over(IMPORTED) == IMPORTED
    assert Tags(title="Other", year=1999).over(IMPORTED) == Tags(
        title="Other", artists=("Ada",), album="One", album_artist="Ada", year=1999,
        external_ids=(ISRC, *IDS.values()),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "other"), [("artists", ("Bob",)), ("album_artist", "Bob"), ("album", "Two")]
)
def test_ids_of_names_that_are_not_taken_are_not_either(name: str, other: object) -> None:
    own = Tags(**{name: other})  # type: ignore[arg-type] # each with its kind of value
    found = own.over(IMPORTED)
    assert getattr(found, name) == other
    assert set(found.external_ids) == {ISRC, *IDS.values()} - {IDS[name]}


@pytest.mark.parametrize("name", IDS)
def test_ids_are_taken_to_the_same_names_unless_there_are_some(name: str) -> None:
    same = Tags(**{name: getattr(IMPORTED, name)})
    assert IDS[name] in same.over(IMPORTED).external_ids
    own = ExternalId(IDS[name].kind, "own")
    found = Tags(**{name: getattr(IMPORTED, name)}, external_ids=(own,)).over(IMPORTED)
    assert found.ids(own.kind) == ("own",)
