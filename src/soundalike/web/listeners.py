"""Who asks."""

from soundalike.domain.types import UserId
from soundalike.domain.users import YOU


def listener_id() -> UserId:
    """Return the user of the request that is being answered."""
    return YOU
