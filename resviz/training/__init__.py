"""Training as a generator of steps, and the recipes it follows."""
