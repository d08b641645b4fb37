"""What `doctor` checks: everything that soundalike needs."""

import platform
from collections.abc import Iterator
from dataclasses import dataclass, replace

from soundalike import __version__
from soundalike.app import App, find_belongings, open_app
from soundalike.app.backends import check_log, has_library
from soundalike.app.places import check_places, no_library
from soundalike.audio.dependencies import AudioDependency, audio_dependencies
from soundalike.domain.counts import counted
from soundalike.domain.errors import ModelError, NoArtefactError, NoLibraryError, SoundalikeError
from soundalike.domain.similarity.space import Artefact
from soundalike.learning.spark.java import spark_readiness
from soundalike.services.learning.updating import Freshness
from soundalike.setting_values import without_secrets
from soundalike.settings import Settings
from soundalike.store.sqlite.backup import find_backup


@dataclass(frozen=True, slots=True)
class Check:
    """One check; `is_ok` is None for what is missing but not needed."""

    name: str
    is_ok: bool | None
    detail: str
    remedy: str = ""


def diagnose(settings: Settings) -> tuple[Check, ...]:
    """Check everything that soundalike needs; errors become checks that failed."""
    is_spark_ready, spark = spark_readiness()
    checks = [
        Check("soundalike", is_ok=True, detail=f"{__version__} on Python {platform.python_version()}"),
        Check("spark", is_ok=True, detail=spark)
        if is_spark_ready
        else Check("spark", is_ok=None, detail="learning uses the local engine", remedy=spark),
        *(_check_dependency(each) for each in audio_dependencies()),
    ]
    if settings.events is not None:
        checks.append(_check_log(settings.events, settings))
    try:
        check_places(settings)
        if not has_library(settings.store or settings.database):
            return (*checks, _check_missing_store(settings))
        # The event log has a check of its own: its errors are not the store's.
        with open_app(replace(settings, events=None)) as app:
            tracks = app.services.library.count()
            checks.append(
                Check("store", is_ok=True, detail=f"{counted(tracks, 'track')} in {settings.store_name}")
            )
            checks.extend(_check_backup(settings))
            checks.extend(_check_feature_sets(app, has_tracks=tracks > 0))
            checks.append(_check_artefact(app))
            checks.extend(_check_imported(app))
    except SoundalikeError as error:
        checks.append(Check("store", is_ok=False, detail=settings.store_name, remedy=_remedy("store", error)))
    return tuple(checks)


def _check_missing_store(settings: Settings) -> Check:
    """Say whether a store that is not there was never made, or is lost."""
    error = no_library(settings, find_belongings(settings))
    if not isinstance(error, NoLibraryError):
        return Check("store", is_ok=False, detail=settings.store_name, remedy=str(error))
    place = settings.data if settings.store is None else settings.store_name
    others = f", or name one that is there: {', '.join(error.items)}" if error.items else ""
    remedy = f"start with 'soundalike up DIR'{others}"
    return Check("store", is_ok=None, detail=f"none yet in {place}", remedy=remedy)


def _check_backup(settings: Settings) -> Iterator[Check]:
    """Yield the backup that a migration has left, if there is one."""
    backup = find_backup(settings.database) if settings.is_embedded else None
    if backup is not None:
        detail = f"{backup}, the store before it was migrated; delete it when you need it no more"
        yield Check("backup", is_ok=True, detail=detail)


def _check_feature_sets(app: App, *, has_tracks: bool) -> Iterator[Check]:
    """Yield each feature set that tracks have, with what it takes, and those that none of them has."""
    computed = {schema.key for schema in app.schemas}
    imported = {schema.key for each in app.imported for schema in each.schemas}
    stored = app.store.feature_sets()
    for key in sorted(computed - {one.key for one in stored}) if has_tracks else ():
        remedy = f"'soundalike extract DIR' on your music computes {key}"
        yield Check("features", is_ok=None, detail=f"{key}: no track has it", remedy=remedy)
    for one in stored:
        detail = f"{one.key}: {counted(one.track_count, 'track')}, {one.size_bytes / 1e6:,.1f} MB"
        if one.key in computed | imported:
            yield Check("features", is_ok=True, detail=detail)
        else:
            remove = f"soundalike extract --forget-set {one.key}"
            remedy = f"this version does not compute {one.key}; '{remove}' removes it"
            yield Check("features", is_ok=None, detail=detail, remedy=remedy)


def _check_log(url: str, settings: Settings) -> Check:
    """Check the broker and the topic without creating either."""
    try:
        detail = check_log(url, settings.kafka)
    except SoundalikeError as error:
        return Check("events", is_ok=False, detail=without_secrets(url), remedy=_remedy("events", error))
    return Check("events", is_ok=True, detail=detail)


def _remedy(name: str, error: SoundalikeError) -> str:
    """Return an error's text without the name that the check shows anyway."""
    return str(error).removeprefix("settings: ").removeprefix(f"{name}: ")


def _check_dependency(dependency: AudioDependency) -> Check:
    if dependency.version is None:
        return Check(
            dependency.name, is_ok=None, detail=f"no {dependency.purpose}", remedy=dependency.missing
        )
    return Check(dependency.name, is_ok=True, detail=f"{dependency.version} ({dependency.purpose})")


def _check_artefact(app: App) -> Check:
    try:
        artefact = app.artefacts.current()
    except NoArtefactError as error:
        detail = "none yet" if app.artefacts.old_recipe() is None else "none that this version reads"
        remedy = str(error) if app.services.library.has_audio() else ""
        return Check("artefact", is_ok=None, detail=detail, remedy=remedy)
    except ModelError as error:
        return Check("artefact", is_ok=False, detail=str(app.settings.artefacts), remedy=str(error))
    detail = _described(artefact)
    # Where nothing is left to learn from, the feature sets say what to do.
    is_usable = app.updater.freshness() in {Freshness.CURRENT, Freshness.EMPTY}
    remedy = "" if is_usable else "the library has changed since; run 'soundalike build'"
    return Check("artefact", is_ok=True, detail=detail, remedy=remedy)


def _described(artefact: Artefact) -> str:
    facts = ", ".join(f"{name} {value}" for name, value in artefact.facts.items())
    return (
        f"{artefact.version}: {counted(len(artefact.track_ids), 'track')}, {artefact.recipe.title}, {facts}"
    )


def _check_imported(app: App) -> Iterator[Check]:
    """Yield the artefact of each imported feature set that has one."""
    for each in app.imported:
        try:
            artefact = each.artefacts.current()
        except NoArtefactError:
            continue
        except ModelError as error:
            yield Check("artefact", is_ok=False, detail=str(each.folder), remedy=str(error))
            continue
        (schema,) = each.schemas
        yield Check("artefact", is_ok=True, detail=f"{schema.key}, imported: {_described(artefact)}")
