"""Terms of the data sets, as their authors publish them (read 2026; check again before you pass anything on)."""

from __future__ import annotations

from reenact.datasets.readers.episode import Licence

OWN = Licence("as the source clip", None, None, "a scene carries the terms of the video it was made from")
LEROBOT = Licence("as the dataset card says", None, None, "LeRobot is a container, not a licence")
HOT3D = Licence("CC-BY-SA-4.0, hand poses CC-BY-NC-SA-4.0", False, True, "objects carry a no-sale rider")
DEXYCB = Licence("CC-BY-NC-4.0", False, True)
TACO = Licence("CC-BY-4.0", True, True)
TCDM = Licence(
    "MIT (repository); trajectories derive from GRAB", None, None, "GRAB itself is for research only"
)
EGODEX = Licence("CC-BY-NC-ND-4.0", False, False, "import yes; passing on converted data no")
H2O = Licence("research only, by signed request", False, False)
HOLOASSIST = Licence("CDLA-Permissive-2.0", True, True)
ARCTIC = Licence("research only, by account", False, False)
OAKINK2 = Licence(
    "CC-BY-SA-4.0", True, True, "as on the authors' dataset page; object scans have their own terms"
)
HO3D = Licence("research only", False, False)
HOI4D = Licence("CC-BY-NC-4.0", False, True)
PH2D = Licence("as the dataset card says", None, None, "the code is MIT")
ACTIONNET = Licence("not stated on the dataset card", None, None, "ask the authors before use")
VITRA = Licence("as the dataset card says", None, None, "labels only; the videos keep their own terms")
EGOVERSE = Licence("as the dataset card says", None, None, "the code is MIT")
GLOVES = Licence("your own recording", None, None)
BUNDLESDF = Licence("Apache-2.0", True, True)
