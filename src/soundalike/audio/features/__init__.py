"""Feature sets: numbers that describe how a signal sounds.

A feature set is an `Extractor`: named, versioned, and made of families, one module each, that are computed
from frames of the signal. `timbre` is the set of the families `mfcc`, `centroid` and `zero_crossings`.
"""
