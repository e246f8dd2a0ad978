"""The version, for the package, its command and whatever they write."""

__all__ = ["__version__"]

__version__ = "0.1.0"
