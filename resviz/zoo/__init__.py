"""Trained networks: bundled checkpoints, torchvision's weights, a user's own file; one `Classifier` for all three."""
