"""Tags as JSON text, as stores keep them."""

import json
from dataclasses import asdict, fields
from functools import lru_cache
from typing import Any

from soundalike.domain.tags import ExternalId, ExternalIdKind, Gains, Tags

_NO_TAGS = Tags()
_DEFAULTS = tuple((field.name, getattr(_NO_TAGS, field.name)) for field in fields(Tags))


def tags_text(tags: Tags) -> str:
    """Return tags as JSON, in ASCII whatever they contain; equal tags give equal text."""
    body: dict[str, Any] = {
        name: value for name, default in _DEFAULTS if (value := getattr(tags, name)) != default
    }
    if tags.gains != _NO_TAGS.gains:
        body["gains"] = {name: value for name, value in asdict(tags.gains).items() if value is not None}
    if tags.external_ids:
        body["external_ids"] = [[one.kind.value, one.value] for one in tags.external_ids]
    return json.dumps(body, separators=(",", ":"), sort_keys=True)


@lru_cache(maxsize=2_048)  # tracks of groups are read, and soon read again when they are settled
def tags_from_text(text: str) -> Tags:
    """Read what `tags_text` returned.

    Raises
    ------
    ValueError, TypeError, KeyError, AttributeError
        If it is damaged.
    """
    body = json.loads(text)
    for name in ("artists", "genres"):
        if name in body:
            body[name] = tuple(body[name])
    if "gains" in body:
        body["gains"] = Gains(**body["gains"])
    if "external_ids" in body:
        body["external_ids"] = tuple(
            ExternalId(ExternalIdKind(kind), value) for kind, value in body["external_ids"]
        )
    return Tags(**body)
