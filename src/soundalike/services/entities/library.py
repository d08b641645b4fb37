"""The entities of a library: roots, tracks, their vectors, problems of files."""

from collections.abc import Sequence

from soundalike.domain.entries import EntryKind, Successor
from soundalike.domain.errors import TrackConflictError
from soundalike.domain.files import FileProblem, FileStamp, Location, Root, TrackFile
from soundalike.domain.ports.library import Store
from soundalike.domain.stored_vectors import StoredVectors
from soundalike.domain.times import to_ms
from soundalike.domain.tracks import Track, set_aside
from soundalike.services.entities.entity import Entity, fields, one_by_one
from soundalike.wire.tags import tags_text


def _track_content(track: Track) -> bytes:
    """Return all of a track but its entry, which is derived again where it is copied to."""
    return fields(
        track.id,
        *_file_content(track.file),
        track.title,
        tags_text(track.tags),
        None if track.imported is None else tags_text(track.imported),
        track.tags_version,
        track.duration_ms,
        to_ms(track.added_at),
        None if track.vanished_at is None else to_ms(track.vanished_at),
    )


def _file_content(file: TrackFile | None) -> tuple[str | bytes | int | None, ...]:
    if file is None:
        return ()
    return (
        file.location.root,
        file.location.path,
        None if file.target is None else bytes(file.target),
        file.stamp.size_bytes,
        file.stamp.mtime_ns,
        file.tags_stamp,
        file.audio_hash,
        file.media_type,
        None if file.part is None else str(file.part),
    )


def _vectors_content(vectors: StoredVectors) -> bytes:
    values = vectors.values
    patches = tuple((patch.role.value, patch.start_ms, patch.length_ms) for patch in vectors.patches)
    about = (vectors.feature_set, vectors.version, vectors.fingerprint, values.dtype.name, values.shape)
    return fields(*about, patches) + values.astype(values.dtype.newbyteorder("<")).tobytes()


def _write_tracks(store: Store, tracks: Sequence[Track]) -> None:
    try:
        store.save_stored_tracks(tracks)
    except TrackConflictError:
        # Tracks have moved since they were copied, maybe into each other's places.
        for track in tracks:
            _make_way(store, track)
            store.save_stored_tracks([track])


def _make_way(store: Store, track: Track) -> None:
    """Set another track aside, until it is written itself."""
    other = None if track.file is None else store.track_at(track.file.location, track.file.part)
    if other is not None and other.id != track.id:
        store.save_track(set_aside(other))


TRACKS: Entity[Track] = Entity(
    kind="tracks",
    read=lambda store: store.stored_tracks(),
    order=lambda track: track.id,
    name=lambda track: f"track {track.id!r}",
    content=_track_content,
    write=_write_tracks,
    batch=200,
    remove=lambda _source, target, track: target.remove_tracks([track.id]),
    count=lambda store: store.count_tracks(),
)

_KINDS = list(EntryKind)

# Which ids lead on to which: favourites and links still have the old ones.
SUCCESSORS: Entity[Successor] = Entity(
    kind="successors",
    read=lambda store: store.successors(),
    order=lambda successor: (_KINDS.index(successor.kind), successor.id),
    name=lambda successor: f"successor of {successor.kind.value} {successor.id!r}",
    content=lambda successor: fields(successor.kind.value, successor.id, successor.next),
    write=lambda store, successors: store.save_successors(successors),
    batch=500,
    remove=lambda _source, target, successor: target.remove_successor(successor),
)

FEATURES: Entity[StoredVectors] = Entity(
    kind="vectors",
    read=lambda store: store.stored_vectors(),
    order=lambda vectors: (vectors.track_id, vectors.key),
    name=lambda vectors: f"vectors {vectors.key} of track {vectors.track_id!r}",
    content=_vectors_content,
    write=lambda store, vectors: store.save_stored_vectors(vectors),
    batch=200,
    remove=lambda _source, target, vectors: target.drop_vectors(vectors.track_id, vectors.key),
    count=lambda store: sum(one.track_count for one in store.feature_sets()),
)


def _stamp(stamp: FileStamp | None) -> tuple[int, int] | None:
    return None if stamp is None else (stamp.size_bytes, stamp.mtime_ns)


def _problem_content(problem: FileProblem) -> bytes:
    where = problem.location
    about = (problem.reason.value, problem.analysed_ms, problem.detail, problem.is_used)
    part = () if problem.part is None else (str(problem.part),)
    read_by = (f"read by {problem.read_by}",) if problem.read_by else ()
    return fields(where.root, where.path, *about, _stamp(problem.stamp), *part, *read_by)


def _shown(location: Location) -> str:
    return repr(f"{location.root}:{location.path.decode(errors='replace')}")


PROBLEMS: Entity[FileProblem] = Entity(
    kind="problems",
    read=lambda store: store.problems(),
    order=lambda problem: problem.location,
    key=lambda problem: problem.place,
    name=lambda problem: f"problem of {_shown(problem.location)}",
    content=_problem_content,
    write=one_by_one(lambda store, problem: store.save_problem(problem)),
    remove=lambda _source, target, problem: target.remove_problems([problem.place]),
)

ROOTS: Entity[Root] = Entity(
    kind="roots",
    read=lambda store: sorted(store.roots(), key=lambda root: root.name),
    order=lambda root: root.name,
    name=lambda root: f"root {root.name!r}",
    content=lambda root: fields(root.name, bytes(root.location)),
    write=one_by_one(lambda store, root: store.save_root(root)),
)
