"""The gallery: systems of the field, the run of each, and tables of what it found."""
