"""Albums, artists and genres over HTTP, and lists of tracks that are filtered by them."""

from typing import Any

import pytest

from soundalike.domain.genres import genre_id
from soundalike.domain.recordings import name_key
from web.clients import LOCAL
from web.shelf import put
from web.stage import Stage


def ask(stage: Stage, path: str) -> dict[str, Any]:
    answer = stage.client().get(path, headers=LOCAL)
    assert answer.status_code == 200, answer.text
    return dict(answer.get_json())


def titles(stage: Stage, path: str) -> list[str]:
    return [track["title"] for track in ask(stage, path)["tracks"]]


def test_albums_have_who_made_them_and_how_long_they_are(shelf: Stage) -> None:
    found = ask(shelf, "/api/albums")
    assert (found["total"], found["next"]) == (2, None)
    box, mix = found["albums"]
    assert (box["title"], box["artist"]["name"], box["is_compilation"]) == ("Box", "Ann", False)
    assert (box["year"], box["track_count"], box["duration_ms"]) == (1990, 3, 90_000)
    assert (mix["title"], mix["artist"], mix["is_compilation"]) == ("Mix", None, True)
    assert ask(shelf, f"/api/albums/{box['id']}") == box
    assert ask(shelf, f"/api/albums?artist={box['artist']['id']}")["albums"] == [box]
    assert [one["title"] for one in ask(shelf, "/api/albums?sort=-year")["albums"]] == ["Mix", "Box"]


def test_artists_and_genres_have_their_names_and_numbers_of_tracks(shelf: Stage) -> None:
    artists = ask(shelf, "/api/artists?sort=-tracks&limit=1")["artists"]
    assert [(one["name"], one["track_count"]) for one in artists] == [("Ann", 7)]
    assert ask(shelf, f"/api/artists/{artists[0]['id']}") == artists[0]
    genres = ask(shelf, "/api/genres")["genres"]
    assert [one["name"] for one in genres] == ["Music", "Pop", "Rock"]
    assert genres[2]["parent"] == genres[0]["id"] == genre_id(name_key("Music"))
    assert ask(shelf, f"/api/genres/{genres[2]['id']}") == genres[2]


@pytest.mark.parametrize("kind", ["albums", "artists", "genres"])
def test_pages_join_into_the_whole_list(shelf: Stage, kind: str) -> None:
    whole = ask(shelf, f"/api/{kind}")
    page = ask(shelf, f"/api/{kind}?limit=1")
    joined = page[kind]
    while page["next"]:
        page = ask(shelf, f"/api/{kind}?limit=1&cursor={page['next']}")
        joined += page[kind]
    assert joined == whole[kind]
    assert len(joined) == whole["total"]
    assert ask(shelf, f"/api/{kind}?limit=1&offset=1")[kind] == joined[1:2]
    assert ask(shelf, f"/api/{kind}?offset=1000")[kind] == []


def test_tracks_of_an_album_are_in_its_order_and_each_recording_once_if_asked(shelf: Stage) -> None:
    box = ask(shelf, "/api/albums")["albums"][0]["id"]
    address = f"/api/tracks?album={box}&sort=album"
    assert len(titles(shelf, address)) == 6
    assert titles(shelf, f"{address}&duplicates=hide") == ["Box 1.1", "Box 1.2", "Box 2.1"]
    assert titles(shelf, f"{address}&duplicates=hide&offset=1&limit=1") == ["Box 1.2"]
    first = ask(shelf, f"{address}&duplicates=hide&limit=2")
    assert titles(shelf, f"{address}&duplicates=hide&cursor={first['next']}") == ["Box 2.1"]
    kept = ask(shelf, f"{address}&duplicates=hide")["tracks"]
    assert [one["id"] for one in kept] == ["box-1-1-500", "box-1-2-500", "box-2-1-500"]


def test_tracks_are_filtered_by_artist_and_genre(shelf: Stage) -> None:
    by_name = {one["name"]: one["id"] for one in ask(shelf, "/api/artists")["artists"]}
    assert titles(shelf, f"/api/tracks?artist={by_name['Bob']}&duplicates=hide") == ["Box 1.2"]
    rock, music = genre_id(name_key("Rock")), genre_id(name_key("Music"))
    assert titles(shelf, f"/api/tracks?genre={rock}&query=2&duplicates=hide") == ["Box 1.2", "Box 2.1"]
    assert titles(shelf, f"/api/tracks?genre={rock}&query=mix") == []
    assert titles(shelf, f"/api/tracks?genre={music}") == ["Bare"]
    assert titles(shelf, f"/api/tracks?genre={music}&playable=only") == []
    assert titles(shelf, f"/api/tracks?genre={music}&playable=any") == ["Bare"]
    assert titles(shelf, "/api/tracks?album=nothing") == []


def test_a_cursor_of_another_filter_is_refused(shelf: Stage) -> None:
    cursor = ask(shelf, "/api/tracks?limit=1")["next"]
    for other in ("duplicates=hide", "album=x", "playable=only"):
        assert shelf.client().get(f"/api/tracks?{other}&cursor={cursor}", headers=LOCAL).status_code == 400
    cursor = ask(shelf, "/api/artists?limit=1")["next"]
    assert shelf.client().get(f"/api/genres?cursor={cursor}", headers=LOCAL).status_code == 400


def test_an_id_that_a_retagging_ended_leads_to_its_successor(shelf: Stage) -> None:
    before = ask(shelf, "/api/albums")["albums"][1]["id"]
    for number, name in enumerate(("Cid", "Dee", "Eve"), start=1):
        put(
            shelf, f"mix-{number}", title=f"Mix {number}", artists=(name,), album="Mixed", is_compilation=True
        )
    shelf.settle_catalogue()
    now = ask(shelf, f"/api/albums/{before}")
    assert now["title"] == "Mixed"
    assert now["id"] != before
    assert titles(shelf, f"/api/tracks?album={before}") == ["Mix 1", "Mix 2", "Mix 3"]


def test_albums_of_an_artist_follow_the_artist(shelf: Stage) -> None:
    put(shelf, "later", title="Later", artists=("Fay",), album="Later")
    shelf.settle_catalogue()
    (before,) = [one["id"] for one in ask(shelf, "/api/artists")["artists"] if one["name"] == "Fay"]
    put(shelf, "later", title="Later", artists=("Gus",), album="Later")
    shelf.settle_catalogue()
    found = ask(shelf, f"/api/albums?artist={before}")["albums"]
    assert [one["artist"]["name"] for one in found] == ["Gus"]
    assert ask(shelf, "/api/albums?artist=nobody")["albums"] == []


@pytest.mark.parametrize("kind", ["albums", "artists", "genres"])
@pytest.mark.parametrize("odd", ["no-such", "%00", "%ED%A0%80", "..", "a" * 20_000])
def test_an_unknown_id_is_404(stage: Stage, kind: str, odd: str) -> None:
    answer = stage.client().get(f"/api/{kind}/{odd}", headers=LOCAL)
    assert answer.status_code == 404
    assert answer.json is not None
    assert answer.json["error"] in {"unknown_entry", "not_found"}


@pytest.mark.parametrize(
    "query",
    [
        "tracks?offset=-1", "tracks?offset=1.5", "tracks?offset=1e3", "tracks?offset=",
        "tracks?duplicates=show", "tracks?duplicates=", "tracks?playable=no", "albums?sort=tracks",
        "artists?sort=year", "genres?sort=--name", "albums?limit=0", "albums?cursor=x", "artists?sort=",
    ],
)  # fmt: skip
def test_a_malformed_parameter_is_refused(stage: Stage, query: str) -> None:
    answer = stage.client().get(f"/api/{query}", headers=LOCAL)
    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["error"] == "bad_parameter"


def test_the_audio_of_a_track_without_a_file_is_refused_by_name(shelf: Stage) -> None:
    answer = shelf.client().get("/api/tracks/bare/audio", headers=LOCAL)
    assert answer.status_code == 409
    assert answer.json is not None
    assert answer.json["error"] == "no_audio"
