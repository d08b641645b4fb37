"""JSON Schemas of what the API takes and answers, by which it is described and its answers are tested."""

from typing import Any

from soundalike.domain.listens import ListenKind
from soundalike.domain.recommendation.results import Note, Role
from soundalike.domain.scans import ScanState
from soundalike.wire.listens import MAX_GENERATION, MAX_ID_LENGTH, MAX_POSITION_MS, RFC_3339, ULID, UUID

Schema = dict[str, Any]


def record(title: str, /, *, optional: tuple[str, ...] = (), **members: Schema) -> Schema:
    """Return the schema of an object.

    Parameters
    ----------
    title : str
        Its name in the description of the API.
    optional : tuple of str
        Members that may be missing.
    **members : dict
        The schemas of its members.
    """
    required = [name for name in members if name not in optional]
    return {"title": title, "type": "object", "properties": members, "required": required}


def list_of(items: Schema, **more: int) -> Schema:
    """Return the schema of an array; `more` are bounds such as ``maxItems``."""
    return {"type": "array", "items": items, **more}


def or_null(schema: Schema) -> Schema:
    """Return a schema that takes null too."""
    return {"anyOf": [schema, {"type": "null"}]}


TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
NUMBER: Schema = {"type": "number"}
TRUTH: Schema = {"type": "boolean"}
TIME: Schema = {"type": "string", "format": "date-time"}
ANYTHING: Schema = {"type": "object", "additionalProperties": True}

NAMED = record("Named", id=TEXT, name=TEXT)
TRACK = record(
    "Track",
    id=TEXT,
    title=TEXT,
    artist=or_null(TEXT),
    album=or_null(TEXT),
    genre=or_null(TEXT),
    year=or_null(COUNT),
    duration_ms=COUNT,
    artists=list_of(NAMED),
    album_id=or_null(TEXT),
    album_artist=or_null(NAMED),
    genres=list_of(record("TrackGenre", id=TEXT, name=TEXT, parent=or_null(TEXT))),
    track_number=or_null(COUNT),
    disc_number=or_null(COUNT),
    is_compilation=TRUTH,
    original_date=or_null(TEXT),
    gains=record(
        "Gains",
        track_db=or_null(NUMBER),
        track_peak=or_null(NUMBER),
        album_db=or_null(NUMBER),
        album_peak=or_null(NUMBER),
        r128_track=or_null({"type": "integer"}),
        r128_album=or_null({"type": "integer"}),
    ),
    external_ids={"type": "object", "additionalProperties": list_of(TEXT)},
    recording=or_null(TEXT),
    is_preferred=TRUTH,
    has_audio=TRUTH,
    licence=or_null(TEXT),
    dataset={"type": "object", "additionalProperties": TEXT},
    part=or_null(record("Part", file=TEXT, start_ms=COUNT, end_ms=or_null(COUNT))),
)
TRACK_DETAILS = record("TrackDetails", **TRACK["properties"], lyrics=or_null(TEXT))
ALBUM = record(
    "Album",
    id=TEXT,
    title=TEXT,
    artist=or_null(NAMED),
    is_compilation=TRUTH,
    year=or_null(COUNT),
    track_count=COUNT,
    duration_ms=COUNT,
    added_at=TIME,
)
ARTIST = record("Artist", id=TEXT, name=TEXT, track_count=COUNT)
GENRE = record("Genre", id=TEXT, name=TEXT, parent=or_null(TEXT), track_count=COUNT)
TRACKS = record("Tracks", tracks=list_of(TRACK), total=COUNT, next=or_null(TEXT))
ALBUMS = record("Albums", albums=list_of(ALBUM), total=COUNT, next=or_null(TEXT))
ARTISTS = record("Artists", artists=list_of(ARTIST), total=COUNT, next=or_null(TEXT))
GENRES = record("Genres", genres=list_of(GENRE), total=COUNT, next=or_null(TEXT))
SIMILAR = record(
    "Similar",
    track_id=TEXT,
    artefact=TEXT,
    neighbours=list_of(record("Neighbour", track=TRACK, distance=NUMBER)),
)

KIND: Schema = {"type": "string", "enum": [kind.value for kind in ListenKind]}
EVENT = record(
    "Event",
    id={"type": "string", "pattern": f"^({UUID}|{ULID})$"},
    track_id={"type": "string", "minLength": 1, "maxLength": MAX_ID_LENGTH},
    kind=KIND,
    position_ms=or_null({"type": "integer", "minimum": 0, "maximum": MAX_POSITION_MS}),
    at={"type": "string", "format": "date-time", "pattern": f"^{RFC_3339}$"},
    generation=or_null({"type": "integer", "minimum": 0, "maximum": MAX_GENERATION}),
    optional=("position_ms", "generation"),
)
RECEIPT = record(
    "Receipt",
    accepted=COUNT,
    duplicates=COUNT,
    hidden=COUNT,
    generation=COUNT,
    folded={"const": False},
    optional=("hidden", "folded"),
)
PROFILE = record("Profile", profile_version=TEXT, listens=COUNT)
JUDGEMENTS = record("Judgements", profile_version=TEXT, liked=list_of(TEXT), disliked=list_of(TEXT))
_BECAUSE = record("BecauseOf", track_id=TEXT, kind=KIND, at=TIME)
_CAUSE = record("Cause", track_id=TEXT, title=TEXT, is_near=TRUTH, kind=KIND, at=list_of(TIME))
_LIKENESS = record("Likeness", track_id=TEXT, title=TEXT, features=list_of(TEXT), is_close=TRUTH)
_REASON = record(
    "Reason",
    text=TEXT,
    because=list_of(_BECAUSE),
    code={"type": "string", "enum": [role.value for role in Role]},
    cause=or_null(_CAUSE),
    likeness=or_null(_LIKENESS),
)
_RECOMMENDATION = record("Recommendation", track=TRACK, distance=NUMBER, score=NUMBER, reason=_REASON)
_NOTES = list_of({"type": "string", "enum": [note.value for note in Note]})
RECOMMENDATIONS = record(
    "Recommendations",
    artefact=or_null(TEXT),
    profile_version=TEXT,
    recommendations=list_of(_RECOMMENDATION),
    note=or_null(TEXT),
    notes=_NOTES,
)
RADIO = record(
    "Radio",
    track_id=TEXT,
    artefact=or_null(TEXT),
    profile_version=TEXT,
    neighbours=list_of(_RECOMMENDATION),
    note=or_null(TEXT),
    notes=_NOTES,
)

ME = record("Me", id=TEXT, name=or_null(TEXT), is_admin=TRUTH, generation=COUNT)
_ACCOUNT = record("Account", id=TEXT, name=or_null(TEXT), created_at=or_null(TIME), is_admin=TRUTH)
TOKEN = record("Token", id=TEXT, label=TEXT, created_at=TIME)
TOKENS = record("Tokens", tokens=list_of(TOKEN))
NEW_TOKEN = record("NewToken", **TOKEN["properties"], token=TEXT)
_CREDENTIAL = record(
    "Credential", id=TEXT, kind=TEXT, label=TEXT, created_at=TIME, last_used_at=or_null(TIME)
)
# Each entity of a user adds members of its own.
EXPORT = {
    **record("Export", account=_ACCOUNT, tokens=list_of(TOKEN), credentials=list_of(_CREDENTIAL)),
    "additionalProperties": True,
}

_SCAN_STATE: Schema = {"type": "string", "enum": [state.value for state in ScanState]}
_SCAN_RESULT = record(
    "ScanResult",
    finished_at=TIME,
    found=COUNT,
    unusable=COUNT,
    added=COUNT,
    changed=COUNT,
    moved=COUNT,
    returned=COUNT,
    vanished=COUNT,
    problem=TEXT,
)
SCAN = record(
    "Scan",
    state=_SCAN_STATE,
    is_running=TRUTH,
    is_wanted=TRUTH,
    is_paused=TRUTH,
    started_at=or_null(TIME),
    done=COUNT,
    total=COUNT,
    seconds_left=or_null(COUNT),
    last=or_null(_SCAN_RESULT),
)

HEALTH = record(
    "Health",
    status={"const": "ok"},
    tracks=COUNT,
    artefact=or_null(TEXT),
    events=record("LogHealth", is_up=TRUTH, is_consumed=TRUTH, detail=TEXT),
    optional=("events",),
)
