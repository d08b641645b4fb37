"""The table of routes: who may ask, what is validated, what is answered.

Handlers get the values that are validated here; the login asks here who may ask; the description of the API
is made from it. A handler has the name of its route.
"""

from werkzeug.exceptions import BadRequest, NotFound, PreconditionFailed, RequestedRangeNotSatisfiable

from soundalike.domain.entries import FIELDS, EntryKind, EntrySort
from soundalike.domain.errors import (
    AccountError,
    AheadOfClockError,
    AnswerTooLargeError,
    DamagedArtefactError,
    EventLogError,
    FileUnavailableError,
    ListenError,
    MissingTracksError,
    NoArtefactError,
    NoAudioError,
    NoCoverError,
    NotAnalysedError,
    SchemaMismatchError,
    ServerBusyError,
    TrackGoneError,
    UnknownEntryError,
    UnknownGenerationError,
    UnknownTrackError,
    UnknownUserError,
)
from soundalike.domain.recommendation.question import DEFAULT_ADVENTURE
from soundalike.domain.recommendation.rules import MEMORY
from soundalike.domain.tracks import Sort, SortField
from soundalike.services.library.browse import DEFAULT_LIMIT, MAX_LIMIT
from soundalike.services.listeners.accounts import MAX_LABEL_LENGTH
from soundalike.web.routes.bodies import MAX_EVENTS, read_events, read_label
from soundalike.web.routes.parameters import Parameter, an_id, fraction, one_of, text, track_ids, whole_number
from soundalike.web.routes.route import Answer, Body, Route, Who
from soundalike.wire import schemas

MAX_EXCLUDED = 1_000
MAX_OFFSET = 100_000_000

_LIMIT = whole_number("limit", "How many at most.", least=1, most=MAX_LIMIT, default=DEFAULT_LIMIT)
_QUERY = text("query", "Words that begin words of title, artist or album.", default="")
_SORT = one_of(
    "sort",
    "The order; - in front reverses it.",
    values=[f"{sign}{name}" for name in SortField for sign in ("", "-")],
    read=Sort.parse,
    default=Sort(),
)
_CURSOR = text("cursor", "Where the page begins: `next` of the page before, for the same query and sort.")
_OFFSET = whole_number(
    "offset",
    "How many to leave out, counted from where the page begins.",
    least=0,
    most=MAX_OFFSET,
    default=0,
)
_ALBUM = an_id("album", "Only the tracks of this album.")
_ARTIST = an_id("artist", "Only what is by this artist, or on an album of theirs.")
_GENRE = an_id("genre", "Only the tracks of this genre.")
_DUPLICATES = one_of("duplicates", "`hide`: of each recording, only the preferred track.", values=["hide"])
_DISTINCT = one_of("duplicates", "`hide`: of each recording, only the nearest track.", values=["hide"])
_AUDIO_ONLY = one_of("playable", "`only`: none whose audio is not in the library.", values=["only", "any"])
_FILTERS = (_ALBUM, _ARTIST, _GENRE, _DUPLICATES, _AUDIO_ONLY)
_RECENT = track_ids(
    "recent",
    f"Ids of the tracks that have played, separated by commas, the latest last; the last {MEMORY} count.",
)
_SEED = an_id("seed", "The track that the recommendations should sound like.")
_EXCLUDE = track_ids(
    "exclude", f"Up to {MAX_EXCLUDED:,} ids of tracks to leave out, separated by commas.", most=MAX_EXCLUDED
)
_ADVENTURE = fraction(
    "adventure", "The share that explores beyond the user's taste.", default=DEFAULT_ADVENTURE
)

_PLAYABLE = one_of("playable", "`any`: also tracks whose audio is not in the library.", values=["any"])


def _entry_sort(kind: EntryKind) -> Parameter:
    return one_of(
        "sort",
        "The order; - in front reverses it.",
        values=[f"{sign}{name}" for name in FIELDS[kind] for sign in ("", "-")],
        read=lambda given: EntrySort.parse(given, kind),
        default=EntrySort(),
    )


_EVENTS = schemas.record("Events", events=schemas.list_of(schemas.EVENT, maxItems=MAX_EVENTS))
_LABEL = schemas.record(
    "TokenLabel", label={"type": "string", "maxLength": MAX_LABEL_LENGTH}, optional=("label",)
)
# It is not read, but has to have the content type that no form can send.
_NO_BODY = Body({})

_ARTEFACT = (NoArtefactError, DamagedArtefactError, SchemaMismatchError)
_SIMILAR = (UnknownTrackError, NotAnalysedError, *_ARTEFACT)
_FILE = (UnknownTrackError, TrackGoneError, FileUnavailableError)
_AUDIO: dict[int, Answer] = {200: "audio/*", 206: "audio/*", 304: None}
_PICTURE: dict[int, Answer] = {200: "image/*", 304: None}
_DONE: dict[int, Answer] = {204: None}
_STATIC: dict[int, Answer] = {200: "*/*", 206: "*/*", 304: None}
_PAGE: dict[int, Answer] = {200: "text/html", 304: None}
_SEEN: dict[int, Answer] = {303: None}
# A form that was refused is shown again, with what is wrong.
_LOGIN_FORM: dict[int, Answer] = {303: None, 401: "text/html", 429: "text/html"}
_TOKEN_FORM: dict[int, Answer] = {303: None, 400: "text/html"}
_PASSWORD_FORM: dict[int, Answer] = {303: None, 400: "text/html", 429: "text/html"}
_ANYONE = Who.ANYONE

API_ROUTES = (
    Route(name="health.healthz", call="GET /healthz", who=_ANYONE, answers={200: schemas.HEALTH},
          summary="Whether the player works"),
    Route(name="description.openapi", call="GET /api/openapi.json", who=_ANYONE, needs_store=False,
          answers={200: schemas.ANYTHING, 304: None}, errors=(PreconditionFailed,),
          summary="This description"),
    Route(name="tracks.page", call="GET /api/tracks",
          parameters=(_QUERY, _SORT, _LIMIT, _CURSOR, _OFFSET, *_FILTERS),
          answers={200: schemas.TRACKS}, summary="A page of tracks"),
    Route(name="tracks.track", call="GET /api/tracks/<track_id>", answers={200: schemas.TRACK_DETAILS},
          errors=(UnknownTrackError,), summary="One track"),
    Route(name="tracks.similar", call="GET /api/tracks/<track_id>/similar", parameters=(_LIMIT, _DISTINCT),
          answers={200: schemas.SIMILAR}, errors=_SIMILAR, summary="What sounds like a track, nearest first"),
    Route(name="listening.radio", call="GET /api/tracks/<track_id>/radio",
          parameters=(_LIMIT, _RECENT, _ADVENTURE, _PLAYABLE), answers={200: schemas.RADIO}, errors=_SIMILAR,
          summary="What a radio that began with a track plays next"),
    Route(name="entries.albums", call="GET /api/albums",
          parameters=(_entry_sort(EntryKind.ALBUM), _LIMIT, _CURSOR, _OFFSET, _ARTIST),
          answers={200: schemas.ALBUMS}, summary="A page of albums"),
    Route(name="entries.album", call="GET /api/albums/<album_id>", answers={200: schemas.ALBUM},
          errors=(UnknownEntryError,), summary="One album"),
    Route(name="entries.artists", call="GET /api/artists",
          parameters=(_entry_sort(EntryKind.ARTIST), _LIMIT, _CURSOR, _OFFSET),
          answers={200: schemas.ARTISTS}, summary="A page of artists"),
    Route(name="entries.artist", call="GET /api/artists/<artist_id>", answers={200: schemas.ARTIST},
          errors=(UnknownEntryError,), summary="One artist"),
    Route(name="entries.genres", call="GET /api/genres",
          parameters=(_entry_sort(EntryKind.GENRE), _LIMIT, _CURSOR, _OFFSET),
          answers={200: schemas.GENRES}, summary="A page of genres"),
    Route(name="entries.genre", call="GET /api/genres/<genre_id>", answers={200: schemas.GENRE},
          errors=(UnknownEntryError,), summary="One genre"),
    Route(name="media.audio", call="GET /api/tracks/<track_id>/audio", answers=_AUDIO,
          errors=(*_FILE, NoAudioError, RequestedRangeNotSatisfiable), summary="The audio, by byte ranges"),
    Route(name="media.cover", call="GET /api/tracks/<track_id>/cover", answers=_PICTURE,
          errors=(*_FILE, NoCoverError), summary="The cover in the tags of a track, or in its folder"),
    Route(name="listening.listens", call="POST /api/listens", body=Body(_EVENTS, read_events),
          is_rate_limited=True, answers={202: schemas.RECEIPT},
          errors=(ListenError, AheadOfClockError, MissingTracksError, UnknownGenerationError, EventLogError),
          summary="Take events: what was played, skipped, liked ..."),
    Route(name="listening.profile", call="GET /api/profile", answers={200: schemas.PROFILE},
          summary="The version of the user's profile"),
    Route(name="listening.judgements", call="GET /api/judgements", answers={200: schemas.JUDGEMENTS},
          summary="What the user likes and dislikes, the latest first"),
    Route(name="listening.recommendations", call="GET /api/recommendations",
          parameters=(_LIMIT, _SEED, _RECENT, _EXCLUDE, _ADVENTURE, _PLAYABLE),
          answers={200: schemas.RECOMMENDATIONS}, errors=_SIMILAR, summary="What to play next, best first"),
    Route(name="me.show", call="GET /api/me", answers={200: schemas.ME}, summary="Who the user is"),
    Route(name="me.delete", call="DELETE /api/me", body=_NO_BODY, answers=_DONE,
          errors=(UnknownUserError, EventLogError), summary="Delete all data of the user"),
    Route(name="me.export", call="GET /api/me/export", answers={200: schemas.EXPORT},
          errors=(ServerBusyError, AnswerTooLargeError), summary="All data of the user"),
    Route(name="me.tokens", call="GET /api/tokens", answers={200: schemas.TOKENS},
          summary="The user's tokens, without their secrets"),
    Route(name="me.make_token", call="POST /api/tokens", body=Body(_LABEL, read_label),
          answers={201: schemas.NEW_TOKEN}, errors=(BadRequest, AccountError, UnknownUserError),
          summary="Make a token; it is shown this once"),
    Route(name="me.revoke_token", call="DELETE /api/tokens/<token_id>", body=_NO_BODY, answers=_DONE,
          errors=(NotFound,), summary="Revoke a token"),
    Route(name="scans.current", call="GET /api/scans/current", answers={200: schemas.SCAN},
          summary="How far the scan of the library's folders is, and what became of the last one"),
    Route(name="scans.want", call="POST /api/scans", who=Who.ADMINISTRATOR, body=_NO_BODY,
          answers={202: schemas.SCAN}, summary="Bring the library in step with all its folders"),
    Route(name="scans.pause", call="POST /api/scans/current/pause", who=Who.ADMINISTRATOR, body=_NO_BODY,
          answers={200: schemas.SCAN}, summary="Let scans wait"),
    Route(name="scans.resume", call="POST /api/scans/current/resume", who=Who.ADMINISTRATOR, body=_NO_BODY,
          answers={200: schemas.SCAN}, summary="Let scans go on"),
    Route(name="metrics.show", call="GET /metrics", who=_ANYONE, answers={200: "text/plain"},
          summary="Figures for Prometheus"),
)  # fmt: skip

PAGE_ROUTES = (
    Route(name="assets.file", call="GET /static/<asked>/<path:name>", who=_ANYONE, needs_store=False,
          answers=_STATIC, errors=(NotFound, PreconditionFailed, RequestedRangeNotSatisfiable)),
    Route(name="login.show", call="GET /login", who=_ANYONE, answers={200: "text/html", 303: None}),
    Route(name="login.submit", call="POST /login", who=_ANYONE, answers=_LOGIN_FORM),
    Route(name="login.log_out", call="POST /logout", answers=_SEEN),
    Route(name="pages.library", call="GET /", answers=_PAGE),
    Route(name="pages.track", call="GET /tracks/<track_id>", answers=_PAGE, errors=(UnknownTrackError,)),
    Route(name="catalogue.album", call="GET /albums/<album_id>", answers=_PAGE, errors=(UnknownEntryError,)),
    Route(name="catalogue.artist", call="GET /artists/<artist_id>", answers=_PAGE,
          errors=(UnknownEntryError,)),
    Route(name="catalogue.genre", call="GET /genres/<genre_id>", answers=_PAGE, errors=(UnknownEntryError,)),
    Route(name="covers.album_cover", call="GET /albums/<album_id>/cover", answers=_PICTURE,
          errors=(NotFound, FileUnavailableError)),
    Route(name="covers.page_cover", call="GET /tracks/<track_id>/cover", answers=_PICTURE,
          errors=(UnknownTrackError, FileUnavailableError)),
    Route(name="accounts.account", call="GET /account", answers={200: "text/html"}),
    Route(name="accounts.change_password", call="POST /account/password", answers=_PASSWORD_FORM),
    Route(name="accounts.make_token", call="POST /account/tokens", answers=_TOKEN_FORM),
    Route(name="accounts.revoke_token", call="POST /account/tokens/<token_id>/revoke", answers=_SEEN),
    Route(name="accounts.delete", call="POST /account/delete", answers=_PASSWORD_FORM),
)  # fmt: skip
