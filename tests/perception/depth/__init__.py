"""The role depth."""
