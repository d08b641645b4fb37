"""From files to tracks, from waveforms to features."""
