from pathlib import Path

import pytest

from soundalike.audio.mounts import mount_without_events

# As in proc_pid_mountinfo(5), where \040 is a space.
MOUNTS = r"""
21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 21 0:45 / /mnt/nas rw shared:9 - nfs4 nas.lan:/music rw,vers=4.2
31 30 8:17 / /mnt/nas/local rw - xfs /dev/sdb1 rw
32 21 0:50 / /mnt/my\040music rw - fuse.sshfs me@host: rw
33 21 8:33 / /media/stick rw - fuseblk /dev/sdc1 rw
34 21 0:51 / /mnt/twice rw - ext4 /dev/sdd1 rw
35 34 0:52 / /mnt/twice rw - cifs //host/share rw
36 21 0:53 / /home/ann/Music/far rw master:2 propagate_from:1 - virtiofs share rw
a line that is cut
"""


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        ("/home/bob/Music", None),
        ("/mnt/nas", "nfs4"),
        ("/mnt/nas/Jazz", "nfs4"),
        ("/mnt/nasty", None),
        ("/mnt/nas/local/Jazz", None),
        ("/mnt/my music", "fuse.sshfs"),
        ("/media/stick/Jazz", None),
        ("/mnt/twice", "cifs"),
        ("/home/ann/Music", "virtiofs"),
        ("/home/ann/Music/near", None),
    ],
)
def test_it_names_the_mount_that_tells_nothing(tmp_path: Path, place: str, kind: str | None) -> None:
    listed = tmp_path / "mountinfo"
    listed.write_text(MOUNTS, encoding="ascii")
    assert mount_without_events(Path(place), listed) == kind


def test_where_mounts_are_not_listed_all_have_events(tmp_path: Path) -> None:
    assert mount_without_events(tmp_path, tmp_path / "missing") is None
