"""The library, listeners and questions of the fixture, and what the program answers to them."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from bson import json_util
from flask.testing import FlaskClient
from pymongo import MongoClient
from werkzeug.test import TestResponse

from making import SOME_TIME, make_listen, make_location, make_track, with_halves
from soundalike.app import App
from soundalike.audio.features.timbre import Timbre
from soundalike.domain.files import FileProblem, FileStamp, ProblemReason, Root
from soundalike.domain.listens import Erasure, Listen
from soundalike.domain.types import DurationMs, RootName, UserId
from soundalike.domain.users import Credential, CredentialKind, User
from soundalike.learning.numpy_engine import LocalEngine
from soundalike.learning.snapshots import ParquetSnapshots
from soundalike.passwords import Argon2Hasher
from soundalike.services.listeners.accounts import TOKEN_PREFIX
from soundalike.services.recommendation.recommender import Recommender
from soundalike.web.app import create_app
from soundalike.wire.profiles import profile_body
from web.description import DescribedClient

FIXTURE = Path(__file__).with_name("version-1")

SCHEMA = Timbre().schema
CLUSTERS, TRACKS_OF_CLUSTER = 5, 16
PASSWORD = "correct horse"  # noqa: S105 - of a fixture
HOUR_MS = 3_600_000
BEGIN_MS = 1_760_000_000_000
ERASED_MS = BEGIN_MS + 5 * HOUR_MS
ASKED_AT = datetime(2025, 11, 10, tzinfo=UTC)
RECOMMENDATIONS = [
    "/api/recommendations?limit=40",
    "/api/recommendations?limit=40&adventure=0",
    "/api/recommendations?limit=20&adventure=1&exclude=t000,t005",
    "/api/recommendations?limit=15&seed=t002",
]
VANISHED = range(3, CLUSTERS * TRACKS_OF_CLUSTER, 13)


def fill_library(app: App) -> None:
    """Save tracks in clusters, some vanished, some without vectors, and files that could not be used."""
    store = app.store
    for root in (Root(RootName("music"), Path("/m")), Root(RootName("disk"), Path("/d/\udcff ó"))):
        store.save_root(root)
    draws = np.random.default_rng(13)
    centres = draws.normal(scale=3, size=(CLUSTERS, len(SCHEMA)))
    for number in range(CLUSTERS * TRACKS_OF_CLUSTER):
        cluster = number % CLUSTERS
        whole, first, second = (centres[cluster] + draws.normal(size=(3, len(SCHEMA)))).astype(np.float32)
        track = make_track(
            f"t{number:03}",
            title=["", "Ünïcode \udcff", "Name"][number % 3] + f" {number}",
            artist=None if number % 11 == 0 else f"Artist {number // 3}",
            album=f"Album {cluster}",
            genre=None if number % 4 == 0 else f"Genre {cluster}",
            year=None if number % 7 == 0 else 1960 + number,
            root="music" if number % 2 == 0 else "disk",
            path=b"a/\xff%d.mp3" % number,
            vanished_at=SOME_TIME if number in VANISHED else None,
        )
        is_unheard = number % 20 == 19
        store.save_track(track, *([] if is_unheard else [with_halves(SCHEMA, whole, first, second)]))
    for number, reason in enumerate(ProblemReason):
        store.save_problem(
            FileProblem(
                location=make_location(b"bad/%d" % number),
                reason=reason,
                analysed_ms=DurationMs(number),
                detail="what is wrong",
                is_used=number % 3 == 0,
                stamp=FileStamp(number, 2**60) if number % 2 else None,
            )
        )


def add_listeners(app: App) -> dict[str, str]:
    """Add three accounts, of whom the first is "you"; return the secret of a token for each by user id."""
    secrets = {}
    for number, (user_id, name) in enumerate([("you", "ada"), ("bob", "Bób"), ("carl", "carl")]):
        user = UserId(user_id)
        password_hash = Argon2Hasher().hash(PASSWORD)
        app.store.add_user(User(id=user, name=name, password_hash=password_hash, created_at=SOME_TIME))
        secrets[user_id] = f"{TOKEN_PREFIX}{number:043d}"
        app.store.add_credential(
            Credential(
                kind=CredentialKind.TOKEN,
                id=f"token{number}",
                user_id=user,
                label=f"script of {name}",
                secret_hash=hashlib.sha256(secrets[user_id].encode()).hexdigest(),
                created_at=SOME_TIME,
            )
        )
    return secrets


def listens_of(user_id: str, seed: int) -> Iterator[Listen]:
    """Give what a listener did: mostly two clusters finished, others skipped, some opinions, some late."""
    draws = np.random.default_rng(seed)
    kinds = ["started", "finished", "skipped", "liked", "unliked", "disliked", "undisliked", "less"]
    shares = [0.3, 0.3, 0.2, 0.08, 0.02, 0.05, 0.01, 0.04]
    for number in range(150):
        cluster = int(draws.choice(CLUSTERS, p=[0.5, 0.3, 0.1, 0.05, 0.05]))
        track = cluster + CLUSTERS * int(draws.integers(TRACKS_OF_CLUSTER))
        is_late = number % 17 == 0
        yield make_listen(
            seed * 1000 + number,
            user_id=user_id,
            track_id=f"t{track:03}" if number % 29 else "unknown",
            kind=str(draws.choice(kinds, p=shares)),
            position_ms=int(draws.integers(30_000)) if number % 3 else None,
            at_ms=BEGIN_MS + (number - (30 if is_late else 0)) * 5 * HOUR_MS + int(draws.integers(1000)),
        )


def listen(app: App, user_ids: list[str]) -> None:
    """Let the first two listen, erase a part of what the second did, and all of a third who is gone."""
    gone = UserId("gone")
    app.log.append([make_listen(1, user_id=gone, at_ms=BEGIN_MS)])
    app.log.erase(Erasure(gone, ERASED_MS), is_total=True)
    for place, user_id in enumerate(user_ids[:2]):
        of_user = list(listens_of(user_id, place + 1))
        app.log.append(of_user[:100])
        if place:
            app.log.erase(Erasure(UserId(user_id), ERASED_MS))
        app.log.append(of_user[90:])  # ten of them twice


def learn_again(app: App) -> None:
    """Learn by the recipe that the version before stored; the artefact has the number that it had then.

    Answers name the number, and what is drawn by chance depends on it.
    """
    folder, recipe = app.settings.artefacts, app.artefacts.old_recipe()
    assert recipe is not None
    report = app.trainer.build(LocalEngine(ParquetSnapshots()), recipe=recipe, progress=lambda *_: None)
    (folder / recipe.key / report.version).rename(folder / recipe.key / "000001")
    (folder / "current").write_text(f"{recipe.key}/000001\n")


def answers(app: App, secrets: dict[str, str]) -> dict[str, Any]:
    """Ask everything that the API tells of a library and its listeners; words only of recommendations.

    Recommendations keep apart artists only since a later version, so this is off.
    """
    recommender = Recommender(
        app.store,
        app.artefacts,
        app.services.library,
        app.services.profiles,
        clock=lambda: ASKED_AT,
        is_strict=False,
    )
    services = replace(app.services, recommender=recommender)
    web = create_app(services, session_key=b"key of a fixture")
    web.test_client_class = DescribedClient
    client = web.test_client()
    asked = [
        *(f"/api/tracks?sort={sort}&limit=20" for sort in ("title", "-artist", "album", "year", "-added")),
        "/api/tracks?query=name%203",
        "/api/tracks/t000",
        *(f"/api/tracks/t{number:03}/similar?limit={limit}" for number in (0, 1, 7) for limit in (5, 60)),
        *RECOMMENDATIONS,
        "/api/profile",
        "/api/judgements",
        "/api/me",
        "/api/tokens",
    ]
    found = {
        user_id: {question: _ask(client, question, secret) for question in asked}
        for user_id, secret in secrets.items()
    }
    words = {
        user_id: {question: _words(client, question, secret) for question in RECOMMENDATIONS}
        for user_id, secret in secrets.items()
    }
    return {
        "answers": found,
        "words": words,
        "profiles": profiles(app, list(secrets)),
        "erasures": _erasures(app),
    }


def profiles(app: App, user_ids: list[str]) -> dict[str, Any]:
    """Return every profile to the bit, with its version."""
    kept = {user_id: app.services.profiles.of(UserId(user_id)) for user_id in user_ids}
    return {
        user_id: {"version": profile.version, "body": profile_body(profile)}
        for user_id, profile in kept.items()
    }


def _erasures(app: App) -> list[list[Any]]:
    return sorted([one.user_id, one.at_ms] for one in app.store.erasures())


def mongodb_documents() -> dict[str, list[dict[str, Any]]]:
    """Return every document of the fixture's store in MongoDB, by collection."""
    documents = defaultdict(list)
    for line in (FIXTURE / "mongodb.jsonl").read_text(encoding="utf-8").splitlines():
        body = json_util.loads(line)
        documents[body["collection"]].append(body["document"])
    return dict(documents)


def restore_mongodb(url: str) -> None:
    """Put every document of the fixture into a database."""
    with MongoClient[dict[str, Any]](url) as client:
        for collection, documents in mongodb_documents().items():
            client.get_default_database()[collection].insert_many(documents)


def _ask(client: FlaskClient, question: str, secret: str) -> dict[str, Any]:
    answer = _get(client, question, secret)
    return {"status": answer.status_code, "body": without_words(answer.get_json())}


def _words(client: FlaskClient, question: str, secret: str) -> dict[str, Any]:
    body = _get(client, question, secret).get_json()
    return {"note": body["note"], "texts": [one["reason"]["text"] for one in body["recommendations"]]}


def _get(client: FlaskClient, question: str, secret: str) -> TestResponse:
    return client.get(question, headers={"Host": "localhost", "Authorization": f"Bearer {secret}"})


def without_words(body: Any) -> Any:
    """Return a JSON answer without cursors, which are opaque, and without sentences."""
    if isinstance(body, list):
        return [without_words(one) for one in body]
    if not isinstance(body, dict):
        return body
    return {
        name: without_words(value)
        for name, value in body.items()
        if name not in {"next", "text", "message", "note"}
    }


def known_of(body: Any, before: Any) -> Any:
    """Return of an answer what an earlier version answered too: members that were added are left out."""
    if isinstance(body, list) and isinstance(before, list) and len(body) == len(before):
        return [known_of(one, other) for one, other in zip(body, before, strict=True)]
    if isinstance(body, dict) and isinstance(before, dict):
        return {name: known_of(value, before[name]) for name, value in body.items() if name in before}
    return body
