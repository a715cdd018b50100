"""Metres from hands, depth and tables."""
