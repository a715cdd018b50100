"""Third person to first person: a virtual camera where the person's eyes could be, and everything seen from there.

Owns: where that camera stands (`eyes`, `heading`, `follow`), the exact rigid change of frame (`carry`), what can be
measured about it (`measures`) and the picture from there (`studio`, `film`). Nothing is made up: what the clip did not
show is not drawn.
May import: geometry, scene, hands, rendering, video (and errors, records).
"""
