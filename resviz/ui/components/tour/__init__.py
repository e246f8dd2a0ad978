"""What shows a visitor of the tour where the next thing to do is."""
