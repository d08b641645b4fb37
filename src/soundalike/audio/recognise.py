"""Which files of a folder may be audio: by their endings where those say it, else by their first bytes."""

import os
import re
from enum import Enum
from io import BytesIO

from soundalike.audio.containers.mpeg import adts_frame, find_chain, find_free, is_chain, mpeg_frame
from soundalike.audio.containers.spans import Span
from soundalike.audio.containers.syncframes import ac3_frame
from soundalike.audio.formats import AUDIO_SUFFIXES, HEAD_BYTES, sniff_magic, suffix_of

_FRAMES = 4
_TAG = re.compile(rb"ID3[\x02-\x04][\0-\xfe].[\0-\x7f]{4}", re.DOTALL)  # ID3v2's head
# Of Musepack and AC-3, marks so short that more has to be looked at.
_AC3, _MUSEPACK = b"\x0b\x77", b"MP+"
_MUSEPACK_VERSIONS = {0x07, 0x17}
# Of the brands of ISO media files, those of pictures.
_PICTURES = {
    b"heic",
    b"heix",
    b"heim",
    b"heis",
    b"hevc",
    b"hevx",
    b"mif1",
    b"msf1",
    b"avif",
    b"avis",
    b"crx ",
}

VIDEO_SUFFIXES = frozenset(
    b".mkv .mk3d .avi .divx .mov .qt .m4v .mpg .mpeg .mpe .m2v .m1v .wmv .flv .f4v .vob .mts .m2ts .ogv .ogm"
    b" .rmvb".split()
)
# Endings that mean something else, so that a folder of a hundred thousand pictures opens none of them.
OTHER_SUFFIXES = frozenset(
    (
        # pictures
        b" .jpg .jpeg .jpe .jfif .png .gif .bmp .webp .tif .tiff .heic .heif .avif .svg .svgz .ico .psd"
        b" .psb .xcf .ai .eps .indd .raw .dng .cr2 .cr3 .nef .nrw .arw .orf .rw2 .raf .pef .srw .jxl .jp2"
        b" .tga .pcx .thm .xmp .aae"
        # text, pages, and what belongs to music
        b" .txt .text .nfo .diz .log .md .rst .rtf .doc .docx .odt .pdf .ps .epub .mobi .azw .azw3 .djvu"
        b" .html .htm .xhtml .css .js .mjs .json .xml .xsl .yaml .yml .toml .ini .cfg .conf .csv .tsv .xls"
        b" .xlsx .ods .ppt .pptx .odp .url .webloc .lnk .desktop .cue .toc .ccd .sub .srt .ass .ssa .vtt"
        b" .idx .lrc .m3u .m3u8 .pls .xspf .wpl .asx .zpl .fpl .mxl .musicxml .gp .gp3 .gp4 .gp5 .gpx .mid"
        b" .midi .kar .rmi"
        # sums, archives, images of disks, what is still being downloaded
        b" .md5 .sfv .sha1 .sha256 .sha512 .ffp .st5 .accurip .sig .asc .gpg .par .par2 .torrent .nzb .zip"
        b" .rar .7z .gz .bz2 .xz .zst .lz .lzma .tar .tgz .tbz2 .txz .cab .iso .mdf .mds .nrg .dmg .part"
        b" .partial .crdownload .download .!ut .!qb .aria2 .filepart .swp .lock"
        # programs, their data and projects
        b" .exe .dll .so .dylib .msi .apk .app .bat .cmd .sh .ps1 .py .pyc .rb .pl .php .c .h .cc .cpp"
        b" .hpp .java .class .jar .go .rs .tsx .jsx .o .a .obj .lib .whl .deb .rpm .db .sqlite"
        b" .sqlite3 .db3 .mdb .ttf .otf .woff .woff2 .als .asd .flp .logic .band .cpr .ptx .rpp .sesx .aup"
        b" .aup3 .nki .sf2 .sfz .vst .vst3 .npy .npz .parquet .pkl .h5 .itc .itc2 .itl .itdb .plist"
        b" .strings"
    ).split()
)


class Kind(Enum):
    """What a file's ending says of it."""

    AUDIO = "audio"
    VIDEO = "video"
    OTHER = "other"
    UNKNOWN = "unknown"


def kind_of(name: bytes) -> Kind:
    """Return what a file is by its ending; one without an ending may be anything."""
    suffix = suffix_of(name)
    if suffix in AUDIO_SUFFIXES:
        return Kind.AUDIO
    if suffix in VIDEO_SUFFIXES:
        return Kind.VIDEO
    return Kind.OTHER if suffix in OTHER_SUFFIXES else Kind.UNKNOWN


def has_audio(real_path: bytes) -> bool:
    """Return whether a regular file begins like audio; False if it cannot be read."""
    try:
        descriptor = os.open(real_path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            head = os.read(descriptor, HEAD_BYTES)
        finally:
            os.close(descriptor)
    except OSError:
        return False
    return begins_like_audio(head)


def begins_like_audio(head: bytes) -> bool:
    """Return whether a file's first 8 KiB are those of audio, by stricter rules than `sniff`."""
    file, span = BytesIO(head), Span(0, len(head))
    if head.startswith(_AC3):
        return is_chain(file, span, ac3_frame, _FRAMES)
    if head.startswith(_MUSEPACK):
        return len(head) > 3 and head[3] in _MUSEPACK_VERSIONS  # noqa: PLR2004 - the byte behind the mark
    if head[4:8] == b"ftyp" and head[8:12] in _PICTURES:
        return False
    if _TAG.match(head):
        return True
    if sniff_magic(file) is not None:
        return True
    # Behind zeros and junk too, since they are decoded there.
    frames = (find_chain(file, span, parse, len(head), links=_FRAMES) for parse in (mpeg_frame, adts_frame))
    return any(frames) or find_free(file, span) is not None
