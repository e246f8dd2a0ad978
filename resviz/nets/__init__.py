"""Networks built from a spec, and what they cost."""
