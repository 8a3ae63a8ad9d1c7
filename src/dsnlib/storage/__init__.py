"""Files that are whole or not there: datasets, checkpoints, locks."""
