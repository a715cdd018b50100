"""Scripts of everyday hand work on the toy table, each a function that writes phases with the verbs of `plan.Stage`.

Owns: what happens, in what order, with which grasp. May import the toy room's other files.
"""
