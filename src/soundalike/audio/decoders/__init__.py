"""Decoders: one module for each library that decodes files, behind the protocol in `decoder`."""
