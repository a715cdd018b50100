"""The typed 4D record of what happened in a clip: clip, camera, hands, objects, contacts, states, and their bundle.

Owns: the record classes and their laws, and how a scene lies on disk. Each value is stored once; boxes, clouds and
copies in other frames are computed. May import: geometry (and errors, records).
"""

from reenact.scene.camera import CameraTrack as CameraTrack
from reenact.scene.camera_path import CameraPath as CameraPath
from reenact.scene.clip import Clip as Clip
from reenact.scene.depth import DepthFrames as DepthFrames
from reenact.scene.found import FoundObjects as FoundObjects
from reenact.scene.hands import HandLandmarks as HandLandmarks
from reenact.scene.hands import HandTracks as HandTracks
from reenact.scene.interaction import ContactPlaces as ContactPlaces
from reenact.scene.interaction import ContactTracks as ContactTracks
from reenact.scene.interaction import InteractionState as InteractionState
from reenact.scene.interaction import InteractionStates as InteractionStates
from reenact.scene.masks import MaskLabel as MaskLabel
from reenact.scene.masks import MaskTracks as MaskTracks
from reenact.scene.objects import ObjectTracks as ObjectTracks
from reenact.scene.objects import PoseCovariance as PoseCovariance
from reenact.scene.points import PointTracks as PointTracks
from reenact.scene.scales import MetricScales as MetricScales
from reenact.scene.scene import Scene as Scene
from reenact.scene.shapes import ObjectShapes as ObjectShapes
from reenact.scene.source import Source as Source
from reenact.scene.support import SupportPlane as SupportPlane
