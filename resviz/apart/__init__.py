"""Computations outside the web process, whose pages never wait for Python's lock then: in processes of this machine, or on a Ray cluster."""

from resviz.apart.engine import Engine, Lost, engine

__all__ = ["Engine", "Lost", "engine"]
