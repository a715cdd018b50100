"""The command line: parsing and printing only. Every flag is a field of a config dataclass; every exit code a named error.

Owns: which commands there are, how a result is printed (words or `--json`), exit codes. May import: everything, but each
command's module is loaded only when that command is called, so that `reenact --help` stays instant.
"""
