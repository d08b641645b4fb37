"""A MongoDB server that refuses, hangs, is gone, or has a foreign database."""

import threading
import time
import traceback
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from conftest import skip_where
from making import make_listen, make_location, make_track, make_vectors
from servers.mongodb import MongoDb, drop_database, missing_mongodb, new_database
from servers.mongodb_proxy import Manner, without_transactions
from servers.processes import free_ports, is_listening, running
from soundalike.domain.errors import (
    SettingsError,
    StoreBusyError,
    StoreError,
    StoreUnavailableError,
    StoreUnfitError,
)
from soundalike.domain.files import FileProblem, ProblemReason
from soundalike.domain.listens import Erasure
from soundalike.domain.ports.library import Store
from soundalike.domain.profiles import refold
from soundalike.domain.tracks import Sort
from soundalike.domain.types import RelativePath, RootName, TrackId
from soundalike.store.mongo.connection import MongoConnection, refuse_single_server
from soundalike.store.mongo.migration import prepare
from soundalike.store.mongo.store import MongoStore, would_migrate
from store.asking import ADA, SCHEMA, save_many
from store.contract_accounts import make_user

pytestmark = pytest.mark.mongodb

PASSWORD = "s3cret%2Fword"  # noqa: S105 - nobody's
PATIENCE_S = 30.0  # generous: what is asked is that waiting ends


@pytest.fixture(scope="module")
def module_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoDb]:
    skip_where(missing_mongodb())
    with running(server := MongoDb(tmp_path_factory.mktemp("mongodb"))):
        yield server


@pytest.fixture
def server(module_server: MongoDb) -> Iterator[MongoDb]:
    """A server of this module's own, up and empty at the beginning of each test."""
    yield module_server
    module_server.resume()
    if not module_server.is_running():
        module_server.start()
    for name in ("music", "soundalike"):
        drop_database(f"{module_server.address}/{name}")


def message_of(error: BaseException) -> str:
    """Return all that a traceback shows of an error, causes and contexts too."""
    shown = "".join(traceback.format_exception(error))
    context: BaseException | None = error
    while context is not None:
        shown += str(context)
        context = context.__context__
    return shown


def questions(store: Store) -> Sequence[Callable[[], object]]:
    """One of each kind: a read, a walk, a write, a transaction and a listen."""
    return (
        store.count_tracks,
        lambda: list(store.tracks_under(RootName("music"), RelativePath(b""))),
        lambda: list(store.track_vectors(SCHEMA)),
        lambda: store.find_tracks(["a"], sort=Sort(), limit=5),
        lambda: store.save_problem(FileProblem(location=make_location(), reason=ProblemReason.EMPTY)),
        lambda: store.save_track(make_track()),
        lambda: store.add_listens([make_listen()]),
        lambda: store.erase_listens(Erasure(ADA, 0)),
        lambda: store.save_profile(refold(ADA, []), replacing=None),
        store.has_users,
        lambda: store.add_user(make_user()),
        store.listen_counts,
    )


# Connection strings


@pytest.mark.parametrize(
    "url",
    [
        "mongodb://",
        "mongodb://ada:s3cret",
        "mongodb://ada:s3/cret@host/music",
        "mongodb://ada:s3@cret@host/music",
        "mongodb://ada:%s3cret@host/music",
        "mongodb://ada:s3cret@host:99999/music",
        "mongodb://ada:s3cret@host/no such name",
        "mongodb://ada:s3cret@host/music?nonsense=s3cret",
        "mongodb://ada:s3cret@host/music?timeoutMS=s3cret",
        "mongodb://ada:s3cret@host/music?tls=true&tlsCAFile=/s3cret/nowhere",
        "mongodb://ada:s3cret@\udcff/music",
        "mongodb+srv://ada:s3cret@host:27017/music",
        "mongodb+srv://ada:s3cret@nowhere.invalid/music",
    ],
)
def test_an_invalid_connection_string_is_reported_without_showing_it(url: str) -> None:
    with pytest.raises(SettingsError, match=r"--store.*mongodb://USER:PASSWORD@HOST") as caught:
        MongoStore(url)
    assert "cret" not in message_of(caught.value)


@pytest.mark.parametrize("name", ["soundalike.backup", "soundalike%2Ebackup", "a.b.c"])
def test_a_name_with_a_dot_which_mongodb_would_cut_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match="has no dot"):
        MongoStore(f"mongodb://127.0.0.1:1/{name}")


def test_a_connection_string_without_a_database_means_the_default(server: MongoDb) -> None:
    with closing(MongoStore(server.address)) as store:
        store.save_track(make_track())
    with MongoClient[dict[str, Any]](server.address) as client:
        assert client["soundalike"]["track"].count_documents({}) == 1


# Servers that refuse


def test_a_missing_server_is_reported_in_time() -> None:
    (port,) = free_ports(1)
    started = time.monotonic()
    with pytest.raises(StoreUnavailableError, match=rf"127\.0\.0\.1:{port}.*address.*firewall") as caught:
        MongoStore(f"mongodb://ada:{PASSWORD}@127.0.0.1:{port}/music", selection_timeout_s=0.3)
    assert time.monotonic() - started < PATIENCE_S
    assert "s3cret" not in message_of(caught.value)


def test_time_outs_in_the_connection_string_override_the_defaults() -> None:
    (port,) = free_ports(1)
    started = time.monotonic()
    with pytest.raises(StoreUnavailableError):
        MongoStore(f"mongodb://127.0.0.1:{port}/?serverSelectionTimeoutMS=300", selection_timeout_s=3600)
    assert time.monotonic() - started < PATIENCE_S


class GuardedMongoDb(MongoDb):
    """A server that requires a password, so that a ping does not show whether it is up."""

    def _answers(self) -> bool:
        return is_listening(self.port)


def test_a_wrong_password_is_reported_and_not_shown(tmp_path: Path) -> None:
    skip_where(missing_mongodb())
    server = MongoDb(tmp_path / "mongodb")
    with running(server), MongoClient[dict[str, Any]](server.address) as client:
        client.admin.command("createUser", "ada", pwd="s3cret/word", roles=["root"])  # noqa: S106 - nobody's
    guarded = GuardedMongoDb(tmp_path / "mongodb")
    guarded.command.append("--auth")
    with running(guarded):
        host = f"127.0.0.1:{guarded.port}"
        with closing(MongoStore(f"mongodb://ada:{PASSWORD}@{host}/music?authSource=admin")) as store:
            store.save_track(make_track())
            assert store.count_tracks() == 1
        for credentials in ("ada:wr0ng@", f"bob:{PASSWORD}@"):
            with pytest.raises(StoreError, match=rf"{host}.*user name or password.*--store") as caught:
                MongoStore(f"mongodb://{credentials}{host}/music?authSource=admin")
            assert not {"wr0ng", "s3cret"} & set(message_of(caught.value).replace("/", " ").split())
            assert "wr0ng" not in message_of(caught.value)
            assert "s3cret" not in message_of(caught.value)
        with pytest.raises(StoreError, match=host):
            MongoStore(f"mongodb://{host}/music")


def test_a_server_without_a_replica_set_is_refused_with_advice(tmp_path: Path) -> None:
    skip_where(missing_mongodb())
    server = MongoDb(tmp_path / "mongodb")
    server.command.append("--standalone")
    with running(server), pytest.raises(StoreError, match=r"127\.0\.0\.1.*--replSet rs0.*rs\.initiate"):
        MongoStore(server.address)


@pytest.mark.parametrize("manner", ["refuses", "refuses in other words", "ignores"])
def test_a_server_that_only_says_it_is_a_replica_set_is_refused(manner: Manner, mongodb: str) -> None:
    url = new_database(mongodb)
    with without_transactions(url, manner) as proxied:
        for open_database in (MongoStore, would_migrate):
            with pytest.raises(StoreUnfitError, match=r"127\.0\.0\.1.*transactions.*(replica set|--replSet)"):
                open_database(proxied)
    with MongoClient[dict[str, Any]](url) as client:
        database = client.get_default_database()
        assert [name for name in database.list_collection_names() if database[name].count_documents({})] == []


def test_trying_a_transaction_leaves_nothing(mongodb: str) -> None:
    url = new_database(mongodb)
    assert not would_migrate(url)
    with MongoClient[dict[str, Any]](url) as client:
        database = client.get_default_database()
        assert [name for name in database.list_collection_names() if database[name].count_documents({})] == []


@pytest.mark.parametrize(
    "greeting",
    [
        {"isWritablePrimary": True, "setName": "rs0", "hosts": ["a:27017"]},
        {"isWritablePrimary": True, "msg": "isdbgrid"},  # a router before shards
    ],
)
def test_replica_sets_and_routers_are_accepted(greeting: dict[str, object]) -> None:
    refuse_single_server(greeting, "a:27017")
    with pytest.raises(StoreError, match="a:27017"):
        refuse_single_server({"isWritablePrimary": True}, "a:27017")


def test_a_replica_set_of_another_name_is_reported(mongodb: str) -> None:
    url = f"{new_database(mongodb)}?replicaSet=another"
    with pytest.raises(StoreUnavailableError, match="another"):
        MongoStore(url, selection_timeout_s=0.5)


# Servers that go away


def test_an_unreachable_server_is_reported_by_every_method_and_found_again(server: MongoDb) -> None:
    url = f"{server.address.replace('//', '//127.0.0.1:1,')}/music?replicaSet=secantus"
    with closing(MongoStore(url, timeout_s=1.5)) as store:
        store.save_track(make_track(), make_vectors(SCHEMA))
        server.kill()
        started = time.monotonic()
        for ask in questions(store):
            with pytest.raises(StoreUnavailableError, match=rf"127\.0\.0\.1:{server.port}.*does not answer"):
                ask()
        assert time.monotonic() - started < PATIENCE_S
        server.start()
        wait_for(store)
        assert store.track(TrackId("t1")) == make_track()
        for ask in questions(store):
            ask()


def wait_for(store: Store) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            store.count_tracks()
        except StoreUnavailableError:
            assert time.monotonic() < deadline
        else:
            return


@pytest.mark.faults
def test_once_a_server_is_unreachable_waiting_is_short(server: MongoDb) -> None:
    with closing(MongoStore(server.address, timeout_s=6)) as store:
        server.kill()
        waited = []
        for _ in range(3):
            started = time.monotonic()
            with pytest.raises(StoreUnavailableError):
                store.has_users()
            waited.append(time.monotonic() - started)
        assert waited[0] > 5
        assert max(waited[1:]) < 5


@pytest.mark.faults
def test_a_hanging_server_is_reported_in_time_and_found_again(server: MongoDb) -> None:
    with closing(MongoStore(f"{server.address}/music", timeout_s=1)) as store:
        store.save_track(make_track())
        server.pause()
        started = time.monotonic()
        for ask in questions(store):
            with pytest.raises(StoreUnavailableError, match=str(server.port)):
                ask()
        assert time.monotonic() - started < 2 * PATIENCE_S
        server.resume()
        wait_for(store)
        assert store.track(TrackId("t1")) == make_track()


@pytest.mark.faults
def test_a_scan_resumes_when_the_server_is_back(server: MongoDb) -> None:
    ids = [f"t{number:04}" for number in range(1300)]
    with closing(MongoStore(server.address)) as store:
        save_many(store, [make_track(name) for name in ids], [make_vectors(SCHEMA)] * len(ids))
        seen = []
        for item in store.track_vectors(SCHEMA):
            seen.append(item.track_id)
            if len(seen) == 600:
                server.kill()
                server.start()
        assert seen == ids


# Waiting and closing


def test_closing_twice_is_allowed_and_later_use_is_an_error(url: str) -> None:
    store = MongoStore(url)
    walk = store.track_vectors(SCHEMA)
    store.close()
    store.close()
    asked: list[Callable[[], object]] = [*questions(store), lambda: next(walk)]
    for ask in asked:
        with pytest.raises(StoreError, match="closed"):
            ask()


def test_a_scan_that_started_before_closing_ends_quietly(url: str) -> None:
    store = MongoStore(url)
    store.add_listens([make_listen(number) for number in range(1100)])
    walk = store.listens_of(ADA)
    next(walk)
    store.close()
    assert isinstance(walk, Generator)
    walk.close()  # raises what its end raises


def test_a_document_that_is_too_large_is_reported(url: str) -> None:
    with closing(MongoStore(url)) as store:
        large = FileProblem(location=make_location(), reason=ProblemReason.EMPTY, detail="x" * 17_000_000)
        with pytest.raises(StoreError, match="16 MB"):
            store.save_problem(large)
        assert list(store.problems()) == []


@contextmanager
def holding(url: str) -> Iterator[Callable[[], None]]:
    """Keep a change of a track open beside the block, as a slow process does, or one that was killed.

    Yields
    ------
    callable
        Ends it before the block does.
    """
    blocking, done = threading.Event(), threading.Event()
    with closing(MongoStore(url)) as other:

        def block(database: Any, session: Any) -> None:
            database["track"].update_one({"_id": "t1"}, {"$set": {"year": 1}}, session=session)
            blocking.set()
            done.wait(PATIENCE_S)

        blocker = threading.Thread(target=other._connection.transaction, args=(block,))  # noqa: SLF001 - a slow writer
        blocker.start()
        assert blocking.wait(PATIENCE_S)

        def end() -> None:
            done.set()
            blocker.join()

        try:
            yield end
        finally:
            end()


def test_waiting_for_others_ends(url: str) -> None:
    with closing(MongoStore(url, timeout_s=0.7)) as store:
        store.save_track(make_track())
        with holding(url):
            with pytest.raises(StoreBusyError, match="in use by others"):
                store.save_track(make_track(title="New"))
            assert store.track(TrackId("t1")) == make_track()
        store.save_track(make_track(title="New"))
        assert store.track(TrackId("t1")) == make_track(title="New")


def test_conflicts_are_waited_for_longer_than_an_unreachable_server(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(MongoStore(url, timeout_s=2)) as store:
        store.save_track(make_track())
        connection, attempts = store._connection, []  # noqa: SLF001 - each attempt lasts one time-out
        attempt = connection._transaction  # noqa: SLF001 - the same
        with holding(url) as release:

            def counted(*args: Any) -> Any:
                attempts.append(args)
                if len(attempts) == 2:
                    release()
                return attempt(*args)

            monkeypatch.setattr(connection, "_transaction", counted)
            store.save_track(make_track(title="New"))
        assert len(attempts) >= 2
        assert store.track(TrackId("t1")) == make_track(title="New")


def test_preparing_fails_on_an_unreachable_server(server: MongoDb) -> None:
    connection = MongoConnection(server.address, timeout_s=1, selection_timeout_s=1)
    server.kill()
    with closing(connection), pytest.raises(StoreUnavailableError):
        prepare(connection)
