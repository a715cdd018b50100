"""What can be wrong with a video, by name."""

from __future__ import annotations

from reenact.errors import InputError, SetupError


class VideoError(InputError):
    """Base of all complaints about a video given by the user."""


class NoSuchVideoError(VideoError):
    """The path does not exist, or is neither a file nor a folder."""


class EmptyVideoError(VideoError):
    """The file has no bytes, or the folder no pictures."""


class NotAVideoError(VideoError):
    """The bytes are no container that we read (or one we refuse, such as playlists naming other files)."""


class NoVideoStreamError(VideoError):
    """A valid media file without moving pictures: audio only, perhaps with a cover picture."""


class NothingDecodedError(VideoError):
    """A video stream is there, but not a single whole frame came out of it."""


class VideoTooLargeError(VideoError):
    """The frame size is beyond the cap that protects against decompression bombs."""


class ImageNameError(VideoError):
    """The file names of a picture folder carry no usable order or time stamps."""


class PictureSizeError(VideoError):
    """The pictures of a folder do not all have one size."""


class VideoWriteError(SetupError):
    """The video could not be written: no space, no permission, missing encoder."""
