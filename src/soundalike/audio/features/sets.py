"""The feature sets that are computed. A new one is a module beside this one, and a line here."""

from soundalike.audio.features.extractor import Extractor
from soundalike.audio.features.timbre import Timbre

EXTRACTORS: tuple[Extractor, ...] = (
    Timbre(),
)  # fmt: skip
