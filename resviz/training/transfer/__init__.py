"""Teaching a trained network classes of somebody's own."""
