"""Several datasets as one stream of training samples, and splits that leak nothing.

Owns weighted sampling over sources (deterministic by seed and worker, resumable to the exact sample), reading of
chunks, and splitting by episode, session or subject. May import what `datasets` may. Order: `weights`, `shuffle`,
`mixture`, `samples`, `splits`.
"""
