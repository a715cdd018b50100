"""Running stages over items so that nothing is done twice, nothing is half done, and one failure costs one item.

Knows nothing of hands or robots. Public, file by file:

- ``stage``: ``Stage`` (name, version, frozen config, inputs, a function that writes a folder), ``StageCall``.
- ``graph.Pipeline``: checked stages in running order. ``item.Item``: an id and its source files.
- ``keys``: content keys; ``canonical.canonical_json``: the strict text form of a config.
- ``store.ArtefactStore``: ``<root>/<stage>/<key>/``; present means done. ``manifest.Manifest``: what is inside.
- ``run_item.run_item``: one item, in this process. ``local.LocalExecutor``, ``pool.ProcessExecutor``: many items.
- ``quarantine.Quarantine``: the items that failed and why. ``summary.RunSummary``: counts, seconds, exit code.
- ``progress``: a bar on a terminal, JSON lines elsewhere.

Imports of ours: ``reenact.errors``.
"""
