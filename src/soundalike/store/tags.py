"""Tags as plain dictionaries, as both stores keep them."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from soundalike.domain.tags import ExternalId, ExternalIdKind, Gains, Tags

# What is stored as it is, and what it is where tags do not say it.
_PLAIN = {field.name: field.default for field in fields(Tags) if field.name not in {"gains", "external_ids"}}
_KINDS = {kind.value: kind for kind in ExternalIdKind}


def tags_body(tags: Tags) -> dict[str, Any]:
    """Return what tags say as texts, numbers, lists and dictionaries of them; what is missing is left out."""
    body = {name: value for name, empty in _PLAIN.items() if (value := getattr(tags, name)) != empty}
    if tags.gains != Gains():
        body["gains"] = {name: gain for name, gain in asdict(tags.gains).items() if gain is not None}
    if tags.external_ids:
        body["external_ids"] = [[one.kind.value, one.value] for one in tags.external_ids]
    return body


def tags_from(body: Mapping[str, Any]) -> Tags:
    """Read what `tags_body` returned."""
    found = dict(body)
    for name in ("artists", "genres"):
        if name in found:
            found[name] = tuple(found[name])
    if "gains" in found:
        found["gains"] = Gains(**found["gains"])
    if "external_ids" in found:
        found["external_ids"] = tuple(
            ExternalId(_KINDS[kind], value) for kind, value in found["external_ids"]
        )
    return Tags(**found)
