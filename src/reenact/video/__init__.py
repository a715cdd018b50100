"""Video in and out: the only room that touches encoded pictures. Beyond this door: RGB uint8 ``h w 3``, ns.

Public, file by file (nothing is imported here, so that PyAV loads only where it is used):

- ``source``: ``open_video(path) -> VideoSource`` for a video file or a folder of pictures; the protocol.
- ``reader.VideoReader``, ``folder.ImageFolderReader``: ``info``, ``frame_t_ns``, ``frames(...)``.
- ``probe.probe(path) -> VideoInfo`` (``info.VideoInfo``): size after rotation, rate, duration, count, digest.
- ``sparse.frames_near``: a few pictures out of a long file by seeking.
- ``sampling.nearest_frames``: which source frame stands for which instant of a grid.
- ``writer.VideoWriter``, ``write_frames``: constant-rate H.264, atomic.
- ``errors``: everything that can be wrong with a file, by name.

Imports of ours: ``reenact.errors``, ``reenact.geometry``. Times count from the first shown frame (0), exactly
as the container's time stamps say; ``VideoInfo.start_ns`` keeps where the container's own clock stood then.
"""
