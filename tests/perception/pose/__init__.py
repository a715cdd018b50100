"""The role pose."""
