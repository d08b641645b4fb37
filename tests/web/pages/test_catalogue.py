"""The pages of albums, artists and genres, and the links that lead to them."""

import html
import re
from urllib.parse import parse_qs, urlsplit

import pytest

from making import file_of, make_track
from soundalike.domain.catalogue import album_id, artist_id
from soundalike.domain.genres import genre_id
from soundalike.domain.ports.audio import Cover
from soundalike.domain.tags import Tags
from soundalike.domain.types import TrackId
from web.clients import LOCAL
from web.shelf import put
from web.stage import Stage

BOX, MIX = album_id("box", "ann"), album_id("mix", None)
ANN, BOB, ROCK, MUSIC = artist_id("ann"), artist_id("bob"), genre_id("rock"), genre_id("music")


def page(stage: Stage, path: str) -> str:
    answer = stage.client().get(path, headers=LOCAL)
    assert answer.status_code == 200, path
    return html.unescape(answer.text)


def titles(text: str) -> list[str]:
    return re.findall(r'class="track-title" [^>]*><bdi>([^<]*)', text)


def test_an_album_lists_each_recording_once_by_disc(shelf: Stage) -> None:
    text = page(shelf, f"/albums/{BOX}")
    assert titles(text) == ["Box 1.1", "Box 1.2", "Box 2.1"]
    assert re.findall(r"<h2>(Disc [0-9])</h2>", text) == ["Disc 1", "Disc 2"]
    assert "3 tracks" in text
    assert f'href="/artists/{ANN}"' in text
    assert f'href="/genres/{ROCK}"' in text


def test_discs_are_those_of_folders_where_tags_name_none(stage: Stage) -> None:
    for path in ("CD2/1", "CD1/2", "CD1/1"):
        tags = Tags(title=f"Song {path}", artists=("Ann",), album="Box", track_number=int(path[-1]))
        stage.store.save_track(make_track(path, path=f"Box/{path}.mp3".encode(), tags=tags))
    stage.settle_catalogue()
    text = page(stage, f"/albums/{BOX}")
    assert titles(text) == ["Song CD1/1", "Song CD1/2", "Song CD2/1"]
    assert re.findall(r"<h2>(Disc [0-9])</h2>", text) == ["Disc 1", "Disc 2"]


def test_a_compilation_is_by_various_artists_and_each_row_says_by_whom(shelf: Stage) -> None:
    text = page(shelf, f"/albums/{MIX}")
    assert "Various artists" in text
    assert "Disc 1" not in text
    for name in ("cid", "dee", "eve"):
        assert f'href="/artists/{artist_id(name)}"' in text


def test_an_artist_has_albums_and_tracks_also_those_with_others(shelf: Stage) -> None:
    text = page(shelf, f"/artists/{ANN}")
    assert f'href="/albums/{BOX}"' in text
    assert titles(text) == ["Box 1.1", "Box 1.2", "Box 2.1", "Bare"]
    assert titles(page(shelf, f"/artists/{BOB}")) == ["Box 1.2"]


def test_a_genre_leads_to_the_one_above_it(shelf: Stage) -> None:
    text = page(shelf, f"/genres/{ROCK}")
    assert sorted(titles(text)) == ["Box 1.1", "Box 1.2", "Box 2.1"]
    assert f'href="/genres/{MUSIC}"' in text
    assert titles(page(shelf, f"/genres/{MUSIC}")) == ["Bare"]


def test_every_row_links_to_album_and_artists(shelf: Stage) -> None:
    text = page(shelf, "/?query=box")
    assert titles(text) == ["Box 1.1", "Box 1.2", "Box 2.1"]
    assert text.count(f'href="/albums/{BOX}"') == 3
    assert text.count(f'href="/artists/{ANN}"') == 3
    assert text.count(f'href="/artists/{BOB}"') == 1


def test_a_track_leads_to_its_album_artists_and_genre(shelf: Stage) -> None:
    text = page(shelf, "/tracks/box-1-2-500")
    for address in (f"/albums/{BOX}", f"/artists/{ANN}", f"/artists/{BOB}", f"/genres/{ROCK}"):
        assert f'href="{address}"' in text


def test_a_track_without_audio_cannot_be_played_and_says_why(shelf: Stage) -> None:
    text = page(shelf, "/tracks/bare")
    assert "Only what an import said" in text
    assert '<article class="hero is-unplayable"' in text
    assert '<article class="hero"' in page(shelf, "/tracks/mix-1")
    assert 'data-do="play"' not in re.split('<section id="player"', text)[0]
    row = page(shelf, "/?query=bare")
    assert "is-unplayable" in row
    assert "no audio" in row


@pytest.mark.parametrize("kind", ["albums", "artists", "genres"])
def test_long_lists_go_on(stage: Stage, kind: str) -> None:
    for number in range(130):
        put(
            stage,
            f"t{number:03}",
            title=f"T {number:03}",
            artists=("Ann",),
            album="Box",
            genres=("Rock",),
            disc_number=1 + number // 65,
            track_number=1 + number % 65,
        )
    stage.settle_catalogue()
    first = page(stage, f"/{kind}/{ {'albums': BOX, 'artists': ANN, 'genres': ROCK}[kind] }")
    more = re.search(r'href="([^"]+)" data-more', first)
    assert more is not None
    second = page(stage, more[1])
    listed = re.search(r'data-do="play-all" data-list="([^"]+)"', first)
    assert listed is not None
    cursor = parse_qs(urlsplit(more[1]).query)["cursor"][0]
    rest = stage.client().get(f"/api/tracks?{listed[1]}&limit=100&cursor={cursor}", headers=LOCAL).json
    assert rest is not None
    assert [track["title"] for track in rest["tracks"]] == titles(second)
    assert titles(first) + titles(second) == [f"T {number:03}" for number in range(130)]
    assert "data-more" not in second
    assert ("Disc 2" in first, "Disc" in second) == (kind == "albums", False)


@pytest.mark.parametrize("query", ["cursor=x", "cursor=", "disc=x", "albums=x", "cursor=x&disc=9999"])
def test_a_malformed_address_shows_the_first_page(shelf: Stage, query: str) -> None:
    for path in (f"/albums/{BOX}", f"/artists/{ANN}", f"/genres/{ROCK}"):
        assert titles(page(shelf, f"{path}?{query}"))[0] == "Box 1.1"


@pytest.mark.parametrize("path", ["/albums/x", "/artists/x", "/genres/x", "/albums/x/cover"])
def test_an_unknown_id_is_a_page_that_says_so(stage: Stage, path: str) -> None:
    answer = stage.client().get(path, headers=LOCAL)
    assert answer.status_code == 404
    assert '<main id="main"' in answer.text


def cover_of_mix(shelf: Stage) -> tuple[str | None, bytes]:
    answer = shelf.client().get(f"/albums/{MIX}/cover", headers=LOCAL)
    assert answer.status_code == 200
    return answer.mimetype, answer.data


def test_an_album_has_the_cover_of_the_first_track_that_has_one(shelf: Stage) -> None:
    files = [file_of(track) for track in (shelf.store.track(TrackId(f"mix-{n}")) for n in (1, 2, 3)) if track]
    names = [file.location.path.decode() for file in files]
    shelf.files.covers[names[2]] = Cover("image/png", b"of the third")
    shelf.files.covers[names[1]] = Cover("image/png", b"of the second")
    assert cover_of_mix(shelf) == ("image/png", b"of the second")
    (shelf.folder / names[1]).unlink()
    assert cover_of_mix(shelf) == ("image/png", b"of the third")
    del shelf.files.covers[names[2]]
    assert cover_of_mix(shelf)[0] == "image/svg+xml"


def test_few_files_are_opened_for_the_cover_of_a_long_album(stage: Stage) -> None:
    for number in range(1, 31):
        put(stage, f"t{number}", title=f"T {number}", artists=("Ann",), album="Box", track_number=number)
    stage.settle_catalogue()
    assert stage.client().get(f"/albums/{BOX}/cover", headers=LOCAL).mimetype == "image/svg+xml"
    assert len(stage.files.opened) == 5


def test_an_album_without_audio_has_a_generated_cover(stage: Stage) -> None:
    put(stage, "t", title="T", artists=("Ann",), album="Box", has_file=False)
    stage.settle_catalogue()
    assert stage.client().get(f"/albums/{BOX}/cover", headers=LOCAL).mimetype == "image/svg+xml"


def test_hostile_names_are_text(stage: Stage) -> None:
    name = "<script>alert(1)</script>"
    put(stage, "a", title=name, artists=(name,), album=name, genres=(name,))
    stage.settle_catalogue()
    track = stage.client().get("/api/tracks/a", headers=LOCAL).json
    assert track is not None
    for path in (
        f"/albums/{track['album_id']}",
        f"/artists/{track['artists'][0]['id']}",
        f"/genres/{track['genres'][0]['id']}",
        "/",
    ):
        answer = stage.client().get(path, headers=LOCAL)
        assert answer.status_code == 200
        assert "<script>alert" not in answer.text
