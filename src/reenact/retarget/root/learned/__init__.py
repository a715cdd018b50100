"""The learned root estimator: a small SE(3)-equivariant network that proposes where a robot would stand.

Owns: windows of wrist motion (`windows`), simulated training clips of one robot (`postures`, `motions`, `augment`),
the vector-neuron network (`layers`, `network`), flow matching over SE(3) (`flow`), training (`training`), weights and
their cards (`weights`, files in `weights/`), clustering (`medoids`) and the two root methods (`method`). May import
what retarget may. torch (extra `learn`) is imported by `layers`, `network`, `training` and `estimator` only.

After EgoInfinity 03 ("SE(3)-equivariant estimator built from Vector Neuron layers ... flow-matching generator over
plausible root frames"). What the published code does wrong and is right here:
 - its vector activation rescales by leaky-ReLU(norm) / norm, which is the identity: here the directional one of
   Deng et al. 2021 (`layers.VnReLU`);
 - it reuses one batch for 20 steps: here every step has fresh clips (`training`);
 - occluded frames are zeroed but still counted in the centroid and attended to: here they are masked everywhere,
   in training and at inference (`windows`, `network`), and a test holds it;
 - rear cameras are drawn on one side only: here on both (`augment`);
 - positions in time are frame indices, so 15 fps clips look like fast 30 fps ones: here they are seconds;
 - element-wise dropout on vector components breaks equivariance: there is none here;
 - sampling has no seed and one sample per window: here it is seeded, and noise is drawn in a frame tied to the
   clip, so that turning the clip turns the answer exactly.
"""
