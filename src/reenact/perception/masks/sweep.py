"""Both directions over one clip, from the seeds outwards; results gather in arrays."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float64

from reenact.perception.masks.backdrop import Backdrop, soft
from reenact.perception.masks.boxed import cut_from_box
from reenact.perception.masks.crowd import Crowd
from reenact.perception.masks.identity import Chain
from reenact.perception.masks.seed import mask_from_box
from reenact.perception.masks.views import Views
from reenact.scene import FoundObjects, MaskLabel, MaskTracks, Source

if TYPE_CHECKING:
    from reenact.perception.masks.classical import ClassicalMasksConfig


class Sweep:
    """The objects of one clip being followed."""

    def __init__(self, views: Views, found: FoundObjects, config: ClassicalMasksConfig) -> None:
        self._views, self._stack, self._config = views, views.stack, config
        count, objects = len(self._stack.t_ns), len(found.seed_frame)
        self.labels = views.hands.copy()
        self._valid = np.zeros((count, objects), bool)
        self._confidence = np.zeros((count, objects))
        self._area = np.zeros((count, objects))
        self._hidden = np.zeros((count, objects))
        self._unsure = np.zeros((count, objects), bool)
        self.twin_gap = np.full((count, objects), np.inf)
        """Distance of the nearest look-alike, in roots of the object's area; infinite where none is known."""
        self._ids = found.object_ids
        at = np.array(views.frames)
        seeds = [int(np.abs(self._stack.frame_idx - f).argmin()) for f in found.seed_frame.tolist()]
        self._starts = [int(at[np.abs(at - f).argmin()]) for f in seeds]
        self._seeds = [self._cut(found, o) for o in range(objects)]
        self._given = [source == "truth" or source.startswith("user") for source in found.sources]
        self._trust = [float(found.confidence[o]) for o in range(objects)]
        self._order: list[int] = []
        self._chains: dict[int, Chain] = {}
        self._breaks: list[list[str]] = [[] for _ in range(objects)]
        self._crowd = self._new_crowd()

    def _new_crowd(self) -> Crowd:
        return Crowd(self._config.follow, self._config.search, self._config.rivals)

    def _cut(self, found: FoundObjects, o: int) -> tuple[np.ndarray, float]:
        """The seed's mask in the frame looked at that is nearest to the seed's, and the trust in it."""
        frame, stack = self._starts[o], self._stack
        outline, box = stack.to_small(found.outline(o)), stack.box_to_small(found.seed_box_px[o])
        if len(outline) < 3:
            cut = cut_from_box(self._views, frame, box, self._config.seed, self._config.boxed)
        else:
            barred = self._views.hands[frame] > 0
            cut = mask_from_box(stack.rgb[frame], box, barred, self._config.seed, outline)
        return cut.mask, cut.trust

    def run(self, order: list[int]) -> None:
        """One direction: an object joins at its seed and is followed from there on."""
        self._order, self._crowd, self._chains = order, self._new_crowd(), {}
        forward = len(order) < 2 or order[1] > order[0]
        starts = {o: order.index(frame) for o, frame in enumerate(self._starts)}
        for step in range(len(order)):
            joining = [o for o, s in starts.items() if s == step]
            if self._crowd.members:
                self._advance(step)
            for o in joining:
                self._join(o, step, is_first_sweep=forward)
            if all(s <= step for s in starts.values()) and all(c.broken for c in self._chains.values()):
                self._unsure[order[step + 1 :]] = True  # nothing to tell any more
                break

    def _join(self, o: int, step: int, *, is_first_sweep: bool) -> None:
        mask, _ = self._seeds[o]
        if not mask.any():
            return
        frame = self._order[step]
        bins, hands = self._views.bins(frame), self._views.hands[frame]
        backdrop = None
        if self._views.still:
            picture = soft(self._stack.rgb[frame])
            backdrop = Backdrop(picture, mask, hands, self._config.backdrop)
        self._crowd.add(o, mask, self._trust[o], bins, hands, is_given=self._given[o], backdrop=backdrop)
        self._chains[o] = Chain(self._config.identity, step, mask, float(mask.sum()))
        if is_first_sweep:
            self._write(o, frame, believed=True)

    def _advance(self, step: int) -> None:
        frame = self._order[step]
        view = self._views.view(frame, self._order[step - 1])
        self._crowd.advance(view)
        for o, chain in self._chains.items():
            since, was_broken = chain.since, chain.broken
            gap = self._crowd.gap.get(o, np.inf)
            back = partial(self._followed_back, o)
            loose = self._crowd.loose_gap.get(o, np.inf)
            believed = chain.look(step, view.dt, self._crowd.members[o], (gap, loose), back)
            if since is not None and chain.twin and not believed:
                self._take_back(o, since, step)
            if chain.broken and not was_broken:
                self._breaks[o].append(f"frame {self._stack.frame_idx[frame]}: {chain.why}")
            self._write(o, frame, believed=believed)
            self.twin_gap[frame, o] = gap

    def _followed_back(self, o: int, step: int, to: int) -> Bool[np.ndarray, "h w"] | None:
        """Where the object of this step was, followed back with all that is around it; none if it gets lost."""
        frame = self._order[step]
        crowd = self._new_crowd()
        for key, follower in self._crowd.members.items():
            if follower.valid and follower.lost_s is None and follower.seen.any():
                bins, hands = self._views.bins(frame), self._views.hands[frame]
                crowd.add(key, follower.seen, 1.0, bins, hands, is_given=key >= 0 and self._given[key])
        for k in range(step - 1, to - 1, -1):
            crowd.advance(self._views.view(self._order[k], self._order[k + 1]), with_rivals=False)
        follower = crowd.members[o]
        return follower.seen if follower.valid and follower.lost_s is None else None

    def _take_back(self, o: int, first: int, end: int) -> None:
        """Frames since the doubt began are not known after all."""
        for frame in self._order[first:end]:
            if self._valid[frame, o]:
                self.labels[frame][self.labels[frame] == MaskLabel.FIRST_OBJECT + o] = 0
            self._valid[frame, o], self._confidence[frame, o], self._area[frame, o] = False, 0.0, 0.0
            self._unsure[frame, o] = True

    def _write(self, o: int, frame: int, *, believed: bool) -> None:
        follower = self._crowd.members[o]
        self._hidden[frame, o] = follower.hidden_share
        self._valid[frame, o] = follower.valid and believed
        self._unsure[frame, o] = follower.valid and not believed
        if not self._valid[frame, o]:
            return
        self.labels[frame][follower.seen] = MaskLabel.FIRST_OBJECT + o
        self._confidence[frame, o] = follower.confidence * (0.5 + 0.5 * self._seeds[o][1])
        self._area[frame, o] = float(follower.seen.sum())

    def tracks(self, found: FoundObjects, name: str, licence: str) -> MaskTracks:
        """The record over all frames."""
        return MaskTracks(
            object_ids=found.object_ids, valid=self._valid, confidence=self._confidence,
            source=np.where(self._valid, np.uint8(Source.OBSERVED), np.uint8(Source.UNKNOWN)),
            area_px=self._area, occluded_share=np.clip(self._hidden, 0.0, 1.0),
            width_px=self._stack.width_px, height_px=self._stack.height_px, backend=name, licence=licence,
        )  # fmt: skip

    def account(self) -> list[dict[str, Any]]:
        """Per object, in words of numbers."""
        valid, covered = self._valid, (self._hidden > 0.5) & ~self._unsure
        return [
            {
                "id": self._ids[o],
                "seed_trust": round(self._seeds[o][1] * self._trust[o], 3),
                "frames_seen": int(valid[:, o].sum()),
                "frames_hidden_by_hands": int((~valid[:, o] & covered[:, o]).sum()),
                "frames_lost": int((~valid[:, o] & ~covered[:, o] & ~self._unsure[:, o]).sum()),
                "frames_which_one_unknown": int(self._unsure[:, o].sum()),
                "identity_lost": self._breaks[o],
                "mean_confidence": _mean(self._confidence[:, o], valid[:, o]),
            }
            for o in range(len(self._ids))
        ]


def _mean(values: Float64[np.ndarray, " t"], where: np.ndarray) -> float:
    return round(float(values[where].mean()), 3) if where.any() else 0.0
