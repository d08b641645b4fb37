"""The demo library: music from a seed, so that there is something to hear before anything else."""

from soundalike.demo.library import DemoLibrary, write_demo_library

__all__ = ["DemoLibrary", "write_demo_library"]
