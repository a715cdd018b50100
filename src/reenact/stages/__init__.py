"""The only place that binds domain functions to the pipeline: one short file per stage, and the plan that orders them.

Owns: which stage reads what, how a run folder is laid out, and the run over many clips. Each stage reads finished
artefacts, calls one domain function and writes one new artefact. May import: everything but cli.
"""
