"""Everything that is stored about a user, as one JSON document that is written while it is read."""

import json
from collections.abc import Generator
from itertools import islice
from typing import Any

from soundalike.domain.times import rfc3339
from soundalike.domain.types import UserId
from soundalike.domain.users import Token
from soundalike.services import Services
from soundalike.wire.listens import listen_body
from soundalike.wire.profiles import profile_body

_LISTENS_PER_CHUNK = 500


def export_chunks(services: Services, user_id: UserId) -> Generator[bytes, None, None]:
    """Yield the document in chunks, in bounded memory however many listens there are.

    It holds the account without its password, the tokens without their secrets, the profile, and every
    listen in the form that clients send.
    """
    head = json.dumps(_head(services, user_id), indent=1)
    listens = (json.dumps(listen_body(listen)) for listen in services.listens.of(user_id))
    yield f'{head.removesuffix("}").rstrip()},\n "listens": ['.encode()
    separator = "\n  "
    while chunk := list(islice(listens, _LISTENS_PER_CHUNK)):
        yield (separator + ",\n  ".join(chunk)).encode()
        separator = ",\n  "
    yield b"\n ]\n}\n"


def token_body(token: Token) -> dict[str, Any]:
    """Return a token as its user may see it."""
    return {"id": token.id, "label": token.label, "created_at": rfc3339(token.created_at)}


def _head(services: Services, user_id: UserId) -> dict[str, Any]:
    user = services.accounts.user(user_id)
    account = {
        "id": user_id,
        "name": None if user is None else user.name,
        "created_at": None if user is None else rfc3339(user.created_at),
    }
    tokens = [token_body(token) for token in services.accounts.tokens_of(user_id)]
    return {"account": account, "tokens": tokens, "profile": profile_body(services.profiles.of(user_id))}
