"""Every error that soundalike raises on purpose.

::

    SoundalikeError
    ├── SettingsError            a setting is missing, unknown or of the wrong form
    ├── LibraryError
    │   ├── RootMissingError     the folder is not there, or lost all its tracks (an unmounted disk)
    │   ├── UnknownTrackError    no track has this id
    │   ├── AmbiguousTrackError  words that match several titles
    │   ├── NotAnalysedError     the track has no vector (yet)
    │   ├── TrackGoneError       the file behind the track is no longer the one that was scanned
    │   └── NoCoverError         the track's tags hold no picture that a browser may show
    ├── QueryError               a parameter of a query is out of range or malformed
    ├── ListenError              an event that cannot be taken, with its place among those sent
    ├── AccountError             a name or password that an account may not have
    │   ├── NameTakenError       another account has this name
    │   ├── UnknownUserError     no account has this name
    │   └── LoginError           name and password do not belong together
    ├── AudioError
    │   ├── UnusableAudioError   a file that cannot be heard, with its reason
    │   └── DemoError            the demo library could not be written
    ├── StoreError
    │   ├── StoreBusyError       another process held the store for too long
    │   ├── StoreUnavailableError  the store's server does not answer; it may come back
    │   ├── StoreUnfitError      the store can keep nothing until somebody mends it
    │   ├── StoreVersionError    the store was written by a newer soundalike, or is not one
    │   ├── TrackConflictError   two writers disagree on where a track is
    │   ├── CopyError            what was copied is not what was there
    │   └── EventLogError        listens could not be made durable; they may be sent again
    │       └── LogUnreachableError  the event log's servers do not answer; they may come back
    ├── ModelError
    │   ├── SchemaMismatchError  vectors and artefact hold different features
    │   ├── NoArtefactError      nothing has been built yet
    │   ├── DamagedArtefactError an artefact that fails its checksums or is none
    │   ├── TooFewTracksError    too little to learn from
    │   └── EngineError          Spark or Java is missing, or failed
    └── ServeError               the port is taken, or the address may not be used

Each message says what is wrong, with which track, path or key, and what to do.
"""


class SoundalikeError(Exception):
    """Root of the tree: whatever a user can be told in one line."""


class SettingsError(SoundalikeError):
    """A setting is missing, unknown or of the wrong form."""


class LibraryError(SoundalikeError):
    """A question about the library that has no answer."""


class RootMissingError(LibraryError):
    """The folder is not there, or is empty although it held tracks."""


class UnknownTrackError(LibraryError):
    """No track has this id."""


class AmbiguousTrackError(LibraryError):
    """Words that match more than one title."""


class NotAnalysedError(LibraryError):
    """The track has no vector of the current feature set."""


class TrackGoneError(LibraryError):
    """The file behind the track is no longer the regular file that was scanned."""


class NoCoverError(LibraryError):
    """No picture in the tags that a browser may be given."""


class QueryError(SoundalikeError):
    """A parameter of a query is out of range or malformed."""


class ListenError(SoundalikeError):
    """An event that cannot be taken.

    Parameters
    ----------
    message : str
        What is wrong with it.
    index : int or None
        Its place among those sent, from 0; None where the whole is malformed.
    """

    def __init__(self, message: str, index: int | None = None) -> None:
        super().__init__(message if index is None else f"event {index}: {message}")
        self.index = index


class AccountError(SoundalikeError):
    """A name or password that an account may not have."""


class NameTakenError(AccountError):
    """Another account has this name."""


class UnknownUserError(AccountError):
    """No account has this name."""


class LoginError(AccountError):
    """Name and password do not belong together."""


class AudioError(SoundalikeError):
    """Something about sound went wrong."""


class DemoError(AudioError):
    """The demo library could not be written."""


class StoreError(SoundalikeError):
    """The store cannot do what was asked."""


class StoreBusyError(StoreError):
    """Another process held the store for too long."""


class StoreUnavailableError(StoreError):
    """The store's server does not answer, or not in time; it may come back."""


class StoreUnfitError(StoreError):
    """The store can keep nothing until somebody mends it: its disk is full, or it lets nobody write."""


class StoreVersionError(StoreError):
    """Not a store, or one written by a newer version."""


class TrackConflictError(StoreError):
    """The location belongs to another track, or the track has moved meanwhile."""


class CopyError(StoreError):
    """What was copied is not what was there, or would overwrite something else."""


class EventLogError(StoreError):
    """Listens could not be made durable; they may be sent again."""


class LogUnreachableError(EventLogError):
    """The event log's servers do not answer; they may come back."""


class ModelError(SoundalikeError):
    """Learning, or reading what was learnt, failed."""


class SchemaMismatchError(ModelError):
    """Vectors and artefact hold different features."""


class NoArtefactError(ModelError):
    """Nothing has been built yet."""


class DamagedArtefactError(ModelError):
    """An artefact that fails its checksums, or a folder that is no artefact."""


class TooFewTracksError(ModelError):
    """Too few tracks to learn anything from."""


class EngineError(ModelError):
    """The engine is not installed, or failed."""


class ServeError(SoundalikeError):
    """The address cannot be served on."""
