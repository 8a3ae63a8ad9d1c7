"""Training of a density network by the augmented Lagrangian."""
