import re

import pytest

from making import file_of, make_track
from soundalike.domain.errors import DamagedArtefactError
from soundalike.domain.files import FileProblem, ProblemReason
from soundalike.domain.fma import fma_id
from soundalike.domain.ports.audio import Cover
from soundalike.domain.tags import Tags
from soundalike.domain.types import TrackId
from web.clients import LOCAL
from web.stage import Stage

HOSTILE = "<script>alert('1')</script>\"'><img src=x onerror=alert(2)>\u202e\n\x00" + "x" * 1000
PICTURE = Cover("image/png", b"\x89PNG\r\n\x1a\n rest")


def page(stage: Stage, path: str, status: int = 200) -> str:
    answer = stage.client().get(path, headers=LOCAL)
    assert answer.status_code == status
    assert answer.content_type == "text/html; charset=utf-8"
    return answer.text


def titles(html: str) -> list[str]:
    return re.findall(r'<a class="track-title"[^>]*><bdi>(.*?)</bdi>', html)


def test_the_library_lists_its_tracks_in_order(stage: Stage) -> None:
    for title in ("Beta", "alpha", "Ångström"):
        stage.add(title.lower()[0], title=title, album=None, artist=None)
    html = page(stage, "/")
    assert titles(html) == ["alpha", "Ångström", "Beta"]
    assert "3 tracks" in html
    assert titles(page(stage, "/?sort=-title")) == ["Beta", "Ångström", "alpha"]
    assert titles(page(stage, "/?query=an")) == ["Ångström"]


def test_show_more_leads_through_the_whole_library(stage: Stage) -> None:
    for number in range(120):
        stage.add(f"t{number:03}", title=f"T {number:03}")
    found: list[str] = []
    path: str | None = "/?query=t&sort=-title"
    while path:
        html = page(stage, path)
        found += titles(html)
        more = re.search(r'href="([^"]*)" data-more', html)
        path = more and more[1].replace("&amp;", "&")
    assert found == [f"T {number:03}" for number in reversed(range(120))]


def test_an_empty_library_says_what_to_run(stage: Stage) -> None:
    assert "soundalike up ~/Music" in page(stage, "/")


def test_a_search_without_matches_says_so(stage: Stage) -> None:
    stage.add("a")
    html = page(stage, "/?query=zzz")
    assert "Nothing matches" in html
    assert "soundalike up" not in html


@pytest.mark.parametrize("query", ["sort=size", "sort=", "cursor=damaged", "query=%ED%A0%80%00", "limit=0"])
def test_a_malformed_address_still_shows_the_library(stage: Stage, query: str) -> None:
    stage.add("a", title="Here")
    assert page(stage, f"/?{query}")


def test_hostile_tags_stay_text(stage: Stage) -> None:
    stage.add("a", title=HOSTILE, artist=HOSTILE, album=HOSTILE, genre=HOSTILE)
    stage.add("b", title=HOSTILE, point=(1.0, 0.0))
    stage.build()
    for path in ("/", "/tracks/a", "/?query=script"):
        html = page(stage, path)
        assert "<script>alert" not in html
        assert "<img src=x" not in html
        assert not re.search(r"<[^>]* on\w+=", re.sub(r'"[^"]*"|\'[^\']*\'', "", html))
    assert "<script>" not in page(stage, "/tracks/" + "%3Cscript%3E", 404)


def test_no_page_has_inline_scripts_styles_or_foreign_addresses(stage: Stage) -> None:
    stage.add("a")
    for path, status in (("/", 200), ("/tracks/a", 200), ("/nothing", 404)):
        html = page(stage, path, status)
        assert " style=" not in html
        assert not re.search(r"<script[^>]*>[^<]", html)
        assert not re.search(r'(src|href)="(https?:)?//', html)


def test_a_track_page_shows_similar_tracks_and_their_distance(stage: Stage) -> None:
    stage.add("a", title="Seed")
    stage.add("b", title="Near", point=(0.5, 0.0))
    stage.add("c", title="Far", point=(2.0, 0.0))
    stage.build()
    html = page(stage, "/tracks/a")
    assert titles(html) == ["Near", "Far"]
    assert re.findall(r"distance </span>([\d.]+)", html) == ["0.50", "2.00"]
    assert re.findall(r'class="near-fill" width="(\d+)%"', html) == ["78", "10"]


def test_tracks_with_the_same_sound_have_a_full_bar(stage: Stage) -> None:
    stage.add("a")
    stage.add("b")
    stage.build()
    assert 'class="near-fill" width="100%"' in page(stage, "/tracks/a")


@pytest.mark.parametrize(
    ("duration_ms", "shown"), [(400, "0:00"), (29_976, "0:30"), (61_400, "1:01"), (3_661_000, "1:01:01")]
)
def test_a_length_is_shown_to_the_nearest_second(stage: Stage, duration_ms: int, shown: str) -> None:
    stage.add("a", duration_ms=duration_ms)
    assert f'<span class="track-length">{shown}</span>' in page(stage, "/")


def test_a_track_page_without_similar_tracks_says_what_to_run(stage: Stage) -> None:
    stage.add("a", point=None)
    stage.add("b")
    assert "soundalike build" in page(stage, "/tracks/a")
    stage.artefacts.failure = DamagedArtefactError("damaged")
    assert "soundalike build" in page(stage, "/tracks/a")
    stage.artefacts.failure = None
    stage.build()
    assert "soundalike extract" in page(stage, "/tracks/a")
    assert "no other track" in page(stage, "/tracks/b")


def test_a_silent_track_says_that_nothing_sounds_like_it(stage: Stage) -> None:
    file = file_of(stage.add("a", point=None))
    stage.add("b")
    stage.build()
    stage.store.save_problem(
        FileProblem(location=file.location, reason=ProblemReason.SILENT, stamp=file.stamp)
    )
    html = page(stage, "/tracks/a")
    assert "This track is silent" in html
    assert "soundalike extract" not in html


def test_a_vanished_track_cannot_be_played_from_its_page(stage: Stage) -> None:
    stage.add("a")
    stage.store.mark_vanished([TrackId("a")], 0)
    html = page(stage, "/tracks/a")
    assert "missing from its folder" in html
    assert "hero-buttons" not in html
    assert '<article class="hero is-unplayable"' in html, "or lists of what can be played would have it"


@pytest.mark.parametrize("path", ["/nothing", "/tracks/no-such", "/tracks/no-such/cover", "/tracks/"])
def test_an_unknown_page_is_404_with_a_link_back(stage: Stage, path: str) -> None:
    html = page(stage, path, 404)
    assert "Back to the library" in html
    assert '<main id="main"' in html


def test_an_internal_failure_is_a_page_without_secrets(stage: Stage) -> None:
    stage.memory.failure = RuntimeError("secret")
    assert "secret" not in page(stage, "/tracks/a", 500)


def test_a_cover_comes_from_the_tags_and_is_cached_by_its_etag(stage: Stage) -> None:
    stage.add("a", cover=PICTURE)
    client = stage.client()
    for path in ("/api/tracks/a/cover", "/tracks/a/cover"):
        answer = client.get(path, headers=LOCAL)
        assert (answer.status_code, answer.content_type, answer.data) == (200, "image/png", PICTURE.data)
        again = client.get(path, headers={**LOCAL, "If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")


def test_a_track_without_a_cover_has_a_generated_one_on_pages_alone(stage: Stage) -> None:
    stage.add("a", album="Sea")
    stage.add("b", album="Sea")
    stage.add("c", album="Sky", data=b"gone")
    (stage.folder / "c.mp3").unlink()
    client = stage.client()
    refused = client.get("/api/tracks/a/cover", headers=LOCAL)
    assert refused.status_code == 404
    assert refused.json is not None
    assert refused.json["error"] == "no_cover"
    drawn = {name: client.get(f"/tracks/{name}/cover", headers=LOCAL) for name in "abc"}
    assert all(answer.content_type.startswith("image/svg+xml") for answer in drawn.values())
    assert drawn["a"].data == drawn["b"].data != drawn["c"].data


def test_assets_are_cached_for_good_under_a_path_that_changes_with_them(stage: Stage) -> None:
    client = stage.client()
    html = page(stage, "/")
    addresses = re.findall(r'(?:href|src)="(/static/[^"]+)"', html)
    assert any("bootstrap.min.css" in address for address in addresses)
    for address in addresses:
        with client.get(address, headers=LOCAL) as answer:
            assert answer.status_code == 200
            assert "immutable" in answer.headers["Cache-Control"]
    old = re.sub(r"/static/\w+/", "/static/old/", addresses[0])
    with client.get(old, headers=LOCAL) as answer:
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-cache")


@pytest.mark.parametrize(
    "name", ["../app.py", "..%2fapp.py", "bootstrap/../../__init__.py", "css", "", "no.css"]
)
def test_only_assets_are_served_as_assets(stage: Stage, name: str) -> None:
    assert stage.client().get(f"/static/x/{name}", headers=LOCAL).status_code == 404


def test_a_track_of_fma_shows_licence_subset_and_the_authors_of_its_metadata(stage: Stage) -> None:
    tags = Tags(
        title="Food", external_ids=(fma_id(2),), licence=f"CC BY {HOSTILE}", dataset={"subset": "small"}
    )
    stage.store.save_track(make_track("food", tags=tags, has_file=False))
    html = page(stage, "/tracks/food")
    assert "CC BY &lt;script&gt;" in html
    assert "<script>alert" not in html
    assert "subset: small" in html
    assert "Defferrard, Benzi, Vandergheynst and Bresson, CC BY 4.0" in html
    assert "soundalike build" in html, "nothing was learned from its features"
    stage.add("own", title="Own")
    assert "Defferrard" not in page(stage, "/tracks/own")


def tags_of(title: str, *, album: str) -> Tags:
    return Tags(title=title, artists=("Ann",), album=album, track_number=len(title))


@pytest.mark.parametrize(
    ("media_type", "name"),
    [
        ("audio/mpeg", "MP3"),
        ("audio/flac", "FLAC"),
        ("audio/ogg", "Ogg Vorbis"),
        ("audio/ogg; codecs=opus", "OPUS"),
        ("audio/mp4; codecs=alac", "ALAC"),
        ("audio/mp4", "AAC"),
        ("audio/x-ms-wma", "WMA"),
        ("audio/x-wavpack", "WAVPACK"),
    ],
)
def test_a_track_in_several_formats_leads_from_each_to_the_others(
    stage: Stage, media_type: str, name: str
) -> None:
    kinds = {"one": "audio/wav", "two": media_type}
    for track_id, kind in kinds.items():
        stage.add_tagged(track_id, tags=tags_of("Song", album="Trees"), media_type=kind)
    stage.add_tagged("other", tags=tags_of("Song of Songs", album="Trees"))
    stage.add_tagged("elsewhere", tags=tags_of("Song", album="Birds"))
    stage.settle_catalogue()
    for track_id, other, kind in (("one", "two", name), ("two", "one", "WAV")):
        html = page(stage, f"/tracks/{track_id}")
        (said,) = re.findall(r"The same recording is here as\s+(.*?)\.</p>", html, re.DOTALL)
        assert said == f'<a href="/tracks/{other}">{kind}</a>'
    assert "The same recording" not in page(stage, "/tracks/elsewhere")
    assert titles(page(stage, "/?query=song+trees")) == ["Song", "Song of Songs"]
