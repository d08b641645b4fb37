"""The demo library: synthesised music from a seed, to try soundalike with."""

from soundalike.demo.library import DemoLibrary, write_demo_library

__all__ = ["DemoLibrary", "write_demo_library"]
