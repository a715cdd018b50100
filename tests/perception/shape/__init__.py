"""The role shape."""
