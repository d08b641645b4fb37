"""Every error that soundalike raises on purpose.

::

    SoundalikeError
    ├── SettingsError               a setting is missing, unknown or malformed
    │   └── ExposedFileError        everybody on this machine may read a file with secrets
    ├── LibraryError
    │   ├── NoLibraryError          no library is where the settings say
    │   ├── RootMissingError        the folder does not exist, or is empty although it had tracks
    │   ├── UnknownTrackError       no track has this id
    │   ├── UnknownEntryError       no artist, album or genre has this id
    │   ├── AmbiguousTrackError     the words match several titles
    │   ├── NotAnalysedError        the track has no vector yet
    │   ├── UnknownFeatureSetError  no track has vectors of this feature set
    │   ├── TrackGoneError          the track's file is not the one that was scanned
    │   ├── FileUnavailableError    the disk does not give a file now; it may come back
    │   ├── FmaError                files of the Free Music Archive are not there, or not what they should be
    │   ├── NoAudioError            the track has no file, only what an import said of it
    │   └── NoCoverError            the track's tags have no picture that a browser may show
    ├── ServerBusyError             there is no room for the answer now
    ├── AnswerTooLargeError         there never is any for the answer
    ├── QueryError                  a query parameter is malformed or out of range
    ├── ListenError                 an event is malformed; with its index
    ├── EarlyListensError           some events cannot be taken yet; with their indexes
    │   ├── AheadOfClockError       they are dated ahead of the server's clock
    │   ├── MissingTracksError      they are of tracks that the library does not have
    │   └── UnknownGenerationError  they are of a generation that has not begun here
    ├── AccountError                an account cannot have this name or password
    │   ├── NameTakenError          another account has this name
    │   ├── UnknownUserError        no account has this name
    │   └── LoginError              wrong user name or password
    ├── AudioError
    │   ├── UnusableAudioError      a file cannot be analysed (`soundalike.audio.errors`)
    │   └── DemoError               the demo library could not be written
    ├── StoreError
    │   ├── StoreBusyError          another process held the store for too long
    │   ├── StoreUnavailableError   the store's server does not answer; it may come back
    │   ├── StoreUnfitError         the store cannot be written to until someone repairs it
    │   │   └── StoreReplacedError  the store's files or database are not those that were opened
    │   ├── StoreVersionError       not a store, or one of a newer soundalike
    │   ├── TrackConflictError      another track has this location
    │   ├── ForeignLibraryError     artefacts or the key belong to another library than the store
    │   ├── UnfinishedCopyError     the store is a copy that has not been finished
    │   ├── CopyError               a copy differs from its source
    │   └── EventLogError           listens could not be stored; they may be sent again
    │       └── LogUnreachableError the event log's servers do not answer; they may come back
    ├── ModelError
    │   ├── SchemaMismatchError     vectors and artefact have different features
    │   ├── NoArtefactError         nothing has been built yet
    │   ├── DamagedArtefactError    an artefact fails its checksums, or is not one
    │   ├── TooFewTracksError       too few tracks to learn from
    │   └── EngineError             Spark or Java is missing, or failed
    └── ServeError                  the port is taken, or the address may not be used

Each message says what is wrong, with which track, path or setting, and what to do.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime


class SoundalikeError(Exception):
    """Root of the tree; each can be shown to a user in one line, and a list that it has below.

    Parameters
    ----------
    message : str
        What is wrong, with what, and what to do.
    items : iterable of str
        What it lists, to be shown one a line.
    """

    def __init__(self, message: str = "", items: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.items = tuple(items)


class SettingsError(SoundalikeError):
    """A setting is missing, unknown or malformed."""


class ExposedFileError(SettingsError):
    """Everybody on this machine may read a file with secrets."""


class LibraryError(SoundalikeError):
    """The library does not have what was asked for."""


class NoLibraryError(LibraryError):
    """No library is where the settings say; those that are elsewhere are listed."""


class RootMissingError(LibraryError):
    """The folder does not exist, or is empty although it had tracks (a disk that is not mounted)."""


class UnknownTrackError(LibraryError):
    """No track has this id."""


class UnknownEntryError(LibraryError):
    """No artist, album or genre has this id."""


class AmbiguousTrackError(LibraryError):
    """The words match several titles, which are listed."""


class NotAnalysedError(LibraryError):
    """The track has no vector of the current feature set."""


class UnknownFeatureSetError(LibraryError):
    """No track has vectors of this feature set."""


class TrackGoneError(LibraryError):
    """The track's file is not the regular file that was scanned."""


class FileUnavailableError(LibraryError):
    """The disk or this machine does not give a file at the moment; nothing is known to be wrong with it."""


class ScanEndedError(LibraryError):
    """A scan ended before it was done, since another process has its lease, or this one is to end."""


class ServerBusyError(SoundalikeError):
    """There is no room for the answer now, since too many ask at once or a disk is full."""


class AnswerTooLargeError(SoundalikeError):
    """The answer is larger than any that there is room for."""


class FmaError(LibraryError):
    """Files of the Free Music Archive are not there, not what they should be, or cannot be downloaded."""


class NoAudioError(LibraryError):
    """A track has no file, only what an import said of it."""


class NoCoverError(LibraryError):
    """The tags have no picture that a browser may show."""


class QueryError(SoundalikeError):
    """A query parameter is malformed or out of range."""


class ListenError(SoundalikeError):
    """An event is malformed.

    Parameters
    ----------
    message : str
        What is wrong with it.
    index : int or None
        Its index among those sent, from 0; None where the request as a whole is malformed.
    """

    def __init__(self, message: str, index: int | None = None) -> None:
        super().__init__(message if index is None else f"event {index}: {message}")
        self.index = index


class EarlyListensError(SoundalikeError):
    """Some events cannot be taken yet, and no other of those that came with them was.

    Parameters
    ----------
    message : str
        Why, and what to do.
    indexes : sequence of int
        Their indexes among those sent, from 0.
    """

    def __init__(self, message: str, indexes: Sequence[int]) -> None:
        super().__init__(message)
        self.indexes = tuple(indexes)


class AheadOfClockError(EarlyListensError):
    """Events are dated ahead of the server's clock, by more than clocks may differ.

    Parameters
    ----------
    message : str
        Why, and what to do.
    indexes : sequence of int
        Their indexes among those sent, from 0.
    server_time : datetime
        What the server's clock shows, UTC.
    """

    def __init__(self, message: str, indexes: Sequence[int], *, server_time: datetime) -> None:
        super().__init__(message, indexes)
        self.server_time = server_time


class MissingTracksError(EarlyListensError):
    """Events are of tracks that the library does not have; a disk or a backup may bring them back."""


class UnknownGenerationError(EarlyListensError):
    """Events name a generation of their user's data that has not begun here: an older backup was restored.

    Parameters
    ----------
    message : str
        Why, and what to do.
    indexes : sequence of int
        Their indexes among those sent, from 0.
    generation : int
        In which generation the user's data is here.
    """

    def __init__(self, message: str, indexes: Sequence[int], *, generation: int) -> None:
        super().__init__(message, indexes)
        self.generation = generation


class AccountError(SoundalikeError):
    """An account cannot have this name or password."""


class NameTakenError(AccountError):
    """Another account has this name."""


class UnknownUserError(AccountError):
    """No account has this name."""


class LoginError(AccountError):
    """Wrong user name or password."""


class AudioError(SoundalikeError):
    """A file could not be analysed or written."""


class DemoError(AudioError):
    """The demo library could not be written."""


class StoreError(SoundalikeError):
    """The store cannot do what was asked."""


class StoreBusyError(StoreError):
    """Another process held the store for too long."""


class StoreUnavailableError(StoreError):
    """The store's server does not answer in time; it may come back."""


class StoreUnfitError(StoreError):
    """The store cannot be written to until someone repairs it: its disk is full, or it is read-only."""


class StoreReplacedError(StoreUnfitError):
    """What is on the disk, or in the database, is no longer the store that was opened, or not all of it."""


class StoreVersionError(StoreError):
    """Not a store, or one of a newer soundalike."""


class TrackConflictError(StoreError):
    """Another track has this location, or the track has moved since it was read."""


class ForeignLibraryError(StoreError):
    """The store is not the one of the library whose artefacts or key are there."""


class UnfinishedCopyError(StoreError):
    """The store is a copy that has not been finished."""


class CopyError(StoreError):
    """A copy differs from its source, or would overwrite something else."""


class EventLogError(StoreError):
    """Listens could not be stored; they may be sent again."""


class LogUnreachableError(EventLogError):
    """The event log's servers do not answer; they may come back."""


class ModelError(SoundalikeError):
    """Training, or reading its result, failed."""


class SchemaMismatchError(ModelError):
    """Vectors and artefact have different features."""


class NoArtefactError(ModelError):
    """Nothing has been built yet."""


class DamagedArtefactError(ModelError):
    """An artefact fails its checksums, or a folder is not one."""


class ArtefactReplacedError(ModelError):
    """Another artefact came into use while one was made from it."""


class TooFewTracksError(ModelError):
    """Too few tracks to learn from."""


class EngineError(ModelError):
    """Spark or Java is missing, or failed."""


class ServeError(SoundalikeError):
    """The port is taken, or the address may not be used."""
