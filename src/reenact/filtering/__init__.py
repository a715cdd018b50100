"""Pass 1: which stretches of a video are worth reconstructing, and for each of the others, why not.

Pure logic over pictures and times: it decodes nothing and knows no hand net. Public, file by file:

- ``config.FilterConfig``: all thresholds, free of resolution and frame rate; ``FilterConfig.egoinfinity()`` is the
  published rule set.
- ``source.filter_source(looks, find_hands, duration_ns, config, read_frames) -> FilterReport``: one pass.
- ``report.FilterReport``, ``Segment``: stretches [start_ns, end_ns) that tile the video, kept or
  rejected with ``Reason`` codes and the numbers that decided; JSON by ``as_json``.
- ``cuts.CutFinder``, ``dissolves``: shot boundaries. ``camera``: does it move. ``hands``: presence, size, speed.
- ``glance``: a first look at a few pictures, to be done with videos that hold no hand at all.

Imports of ours: ``reenact.errors``, ``reenact.geometry``, ``reenact.scene``.
"""
