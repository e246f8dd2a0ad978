"""Probes: one question a file, one public verb a file. A probe leaves the network as it found it."""
