"""Learning what sounds alike: tune, build, update."""
