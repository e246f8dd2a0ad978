"""Anybody's training, watched from beside its loop."""
