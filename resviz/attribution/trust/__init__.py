"""How far methods can be trusted: each metric a function, and all of them over many pictures."""
