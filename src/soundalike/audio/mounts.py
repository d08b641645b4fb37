"""Which mounts tell nobody what changes on them."""

import re
from collections.abc import Iterator
from pathlib import Path

_WITHOUT_EVENTS = frozenset(
    {"9p", "afs", "ceph", "cifs", "coda", "gfs2", "lustre", "ncpfs", "nfs", "nfs4", "ocfs2", "prl_fs"}
    | {"smb3", "smbfs", "vboxsf", "virtiofs", "vmhgfs"}
)
"""File systems that others change as well, so that this machine sees no events of their changes."""

_ESCAPE = re.compile(rb"\\([0-7]{3})")
MOUNTS = Path("/proc/self/mountinfo")


def mount_without_events(place: Path, mounts: Path = MOUNTS) -> str | None:
    """Return the file system's type of a mount without events at, above or below a folder; None for none.

    Parameters
    ----------
    place : Path
        Absolute and without links.
    mounts : Path
        As Linux lists them; where there is no list, all mounts are taken to have events.
    """
    try:
        listed = mounts.read_bytes()
    except OSError:
        return None
    found = list(_parse(listed))
    above = [one for one in found if place == one[0] or one[0] in place.parents]
    # The innermost mount is the one that the folder is on; of several at one point the last counts.
    own = max(enumerate(above), key=lambda item: (len(item[1][0].parts), item[0]), default=None)
    concerned = ([own[1]] if own else []) + [one for one in found if place in one[0].parents]
    return next((kind for _, kind in concerned if _has_no_events(kind)), None)


def _has_no_events(kind: str) -> bool:
    return kind in _WITHOUT_EVENTS or kind == "fuse" or kind.startswith("fuse.")


def _parse(listed: bytes) -> Iterator[tuple[Path, str]]:
    """Yield the mount point and the type of each mount; see proc_pid_mountinfo(5)."""
    for line in listed.splitlines():
        before, _, after = line.partition(b" - ")
        fields, kind = before.split(), after.split()
        if len(fields) > 4 and kind:  # noqa: PLR2004 - the fifth is the mount point
            point = _ESCAPE.sub(lambda code: bytes([int(code[1], 8) & 0xFF]), fields[4])
            yield Path(point.decode(errors="surrogateescape")), kind[0].decode(errors="replace")
