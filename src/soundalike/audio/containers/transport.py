"""MPEG transport streams: whether sound alone is inside, by the tables in their first packets."""

_PACKET_BYTES = 188
_SYNC = 0x47
_LEAST_PACKETS = 4
_PROGRAMS, _STREAMS = 0, 2  # ids of tables
_CHECKSUM_BYTES = 4
# Types of streams (ISO/IEC 13818-1, 2.4.4.10; ATSC A/52 for AC-3).
_AUDIO = {0x03, 0x04, 0x0F, 0x11, 0x81, 0x87}
_VIDEO = {0x01, 0x02, 0x10, 0x1B, 0x24, 0x33, 0x42, 0xD1, 0xEA}


def is_sound_alone(head: bytes) -> bool:
    """Return whether a file's first KiB are those of a transport stream that has audio, and no video.

    False if its table of streams is not among them: that of a film is rarely.
    """
    starts = range(0, len(head) - _PACKET_BYTES + 1, _PACKET_BYTES)
    if len(starts) < _LEAST_PACKETS or any(head[start] != _SYNC for start in starts):
        return False
    sections = dict(_section(head[start : start + _PACKET_BYTES]) for start in starts)
    kinds = {
        kind
        for pid in _pids_of_programs(sections.get(0, b""))
        for kind in _kinds_of_streams(sections.get(pid, b""))
    }
    return bool(kinds & _AUDIO) and not kinds & _VIDEO


def _section(packet: bytes) -> tuple[int, bytes]:
    """Return a packet's number, and the table that begins in it, without its checksum; -1 if none does."""
    has_start, has_more, has_payload = packet[1] & 0x40, packet[3] & 0x20, packet[3] & 0x10
    if not (has_start and has_payload):
        return -1, b""
    payload = packet[5 + packet[4] :] if has_more else packet[4:]
    section = payload[1 + payload[0] :] if payload else b""
    return _number(packet[1:3]) & 0x1FFF, section[: 3 + (_number(section[1:3]) & 0xFFF) - _CHECKSUM_BYTES]


def _pids_of_programs(section: bytes) -> set[int]:
    if section[:1] != bytes([_PROGRAMS]):
        return set()
    return {_number(section[at + 2 : at + 4]) & 0x1FFF for at in range(8, len(section) - 3, 4)}


def _kinds_of_streams(section: bytes) -> set[int]:
    kinds: set[int] = set()
    if section[:1] == bytes([_STREAMS]):
        at = 12 + (_number(section[10:12]) & 0xFFF)
        while at + 5 <= len(section):
            kinds.add(section[at])
            at += 5 + (_number(section[at + 3 : at + 5]) & 0xFFF)
    return kinds


def _number(data: bytes) -> int:
    return int.from_bytes(data, "big")
