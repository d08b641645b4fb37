"""Feature sets: numbers that describe how a signal sounds.

A feature set is an `Extractor`, named and versioned; `sets` lists those that are computed. `timbre` is
made of families, one module each, that are computed from frames of the signal: `mfcc`, `centroid` and
`zero_crossings`.
"""
