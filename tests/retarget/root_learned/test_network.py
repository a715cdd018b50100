"""The network: exactly equivariant, blind to what was not seen, and able to learn a posterior with two modes."""
# ruff: noqa: E402 -- without torch the whole file is skipped, before anything imports it

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the learned root needs torch (extra `learn`)")
torch.set_num_threads(1)

from reenact.geometry.rotations import random_rotation, rotation_angle, so3_exp
from reenact.geometry.transforms import make_T
from reenact.retarget.root.learned.config import FlowConfig, NetConfig
from reenact.retarget.root.learned.estimator import RootEstimator, scale_tensors
from reenact.retarget.root.learned.flow import CentreScale, flow_pairs, sample_roots, start_rotations
from reenact.retarget.root.learned.layers import VnAttention, VnNorm, VnReLU
from reenact.retarget.root.learned.network import ClipTensors, RootFlowNet
from reenact.retarget.root.learned.windows import Windows
from tests.retarget.motions import yaw
from tests.retarget.root_learned.conftest import turned

TINY = NetConfig(width=16, layers=2, heads=2, hidden=24, head_width=48, head_blocks=1)
SCALE = CentreScale(np.array([0.2, 0.0, 0.1]), np.array([0.1, 0.1, 0.1]))


def net_of(config: NetConfig, seed: int = 0) -> RootFlowNet:
    torch.manual_seed(seed)
    net = RootFlowNet(config)
    with torch.no_grad():  # the last layer starts at zero; here it must say something
        net.leave[1].weight.normal_(std=0.3)
    return net.eval()


def some(windows: Windows, count: int) -> Windows:
    parts = (windows.T_world_wrist, windows.valid, windows.seconds, windows.up)
    return Windows(*(p[:count] for p in parts))


def any_G(seed: int = 0) -> np.ndarray:
    return make_T(random_rotation(np.random.default_rng(seed)), np.array([3.0, -2.0, 1.0]))


@pytest.mark.parametrize("entry", ["head", "tokens"])
def test_turning_and_moving_the_clip_and_the_noise_turns_and_moves_the_sample(
    seen: tuple[Windows, np.ndarray], entry: str
) -> None:
    windows = some(seen[0], 12)
    estimator = RootEstimator(net_of(replace(TINY, root_enters=entry)), SCALE, FlowConfig(ode_steps=8))
    G = any_G()
    one = estimator.sample(windows, 6, np.random.default_rng(4))
    other = estimator.sample(turned(windows, G), 6, np.random.default_rng(4))
    np.testing.assert_allclose(other, G @ one, atol=1e-4)


def test_the_velocity_is_the_same_in_the_bodys_axes(seen: tuple[Windows, np.ndarray]) -> None:
    windows, net, G = some(seen[0], 12), net_of(TINY), any_G(3)
    rng = np.random.default_rng(0)
    R = random_rotation(rng, (12, 5))
    y, time = rng.normal(size=(12, 5, 3)), rng.uniform(size=(12, 5))

    def said(clip: Windows, R: np.ndarray) -> np.ndarray:
        tensors = ClipTensors.of(clip, TINY)
        noisy = [torch.from_numpy(x).float() for x in (R, y, time)]
        with torch.no_grad():
            out = net.velocity(tensors, net.encode(tensors), *noisy, scale_tensors(SCALE, torch.float32))
        return torch.cat(out, -1).numpy()

    plain = said(windows, R)
    assert np.abs(plain).max() > 0.1
    np.testing.assert_allclose(said(turned(windows, G), G[:3, :3] @ R), plain, atol=1e-4)


@pytest.mark.parametrize("layer", ["relu", "norm", "attention"])
def test_each_layer_commutes_with_rotations(layer: str) -> None:
    torch.manual_seed(1)
    x = torch.randn(4, 7, 3, 8, dtype=torch.float64)
    time, mask = torch.randn(4, 7, 5, dtype=torch.float64), torch.rand(4, 7) < 0.7
    mask[:, 0] = True
    R = torch.from_numpy(random_rotation(np.random.default_rng(2)))
    layers = {"relu": VnReLU(8, 6), "norm": VnNorm(8), "attention": VnAttention(8, 2, 5)}
    module = layers[layer].double()
    more = (time, mask) if layer == "attention" else ()
    np.testing.assert_allclose((R @ module(x, *more)).detach(), module(R @ x, *more).detach(), atol=1e-12)


def test_the_activation_is_no_identity() -> None:
    torch.manual_seed(2)
    relu = VnReLU(8, 8)
    x, y = torch.randn(64, 3, 8), torch.randn(64, 3, 8)
    with torch.no_grad():
        assert (relu(x) - relu.value(x)).abs().max() > 0.1  # the published one gives 0 here
        assert (relu(x + y) - relu(x) - relu(y)).abs().max() > 0.1  # so it is not linear
        along = (relu(x) * relu.direction(x)).sum(-2)
        before = (relu.value(x) * relu.direction(x)).sum(-2)
    np.testing.assert_allclose(along, torch.where(before > 0, before, 0.1 * before), atol=1e-4)


def test_tokens_that_were_not_seen_change_nothing(seen: tuple[Windows, np.ndarray]) -> None:
    windows = seen[0]
    assert (~windows.valid).any()
    rng = np.random.default_rng(0)
    rubbish = windows.T_world_wrist.copy()
    rubbish[~windows.valid] = rng.normal(size=(int((~windows.valid).sum()), 4, 4)) * 5.0
    late = np.where(windows.valid.any(axis=2), windows.seconds, 1e3)
    dirty = Windows(rubbish, windows.valid, late, windows.up)
    estimator = RootEstimator(net_of(TINY), SCALE, FlowConfig(ode_steps=4))
    np.testing.assert_allclose(
        estimator.sample(dirty, 3, np.random.default_rng(1)),
        estimator.sample(windows, 3, np.random.default_rng(1)),
        atol=1e-5,
    )


def test_when_something_happens_matters(seen: tuple[Windows, np.ndarray]) -> None:
    windows, net = some(seen[0], 8), net_of(TINY)
    slower = Windows(windows.T_world_wrist, windows.valid, 0.4 * windows.seconds, windows.up)
    with torch.no_grad():
        one, other = (net.encode(ClipTensors.of(w, TINY)) for w in (windows, slower))
    assert (one - other).abs().max() > 1e-3


def test_paths_lead_from_noise_to_the_truth(seen: tuple[Windows, np.ndarray]) -> None:
    """Following the true velocity from any point of a path for the time that is left ends at the true root."""
    windows, T = some(seen[0], 16), seen[1][:16]
    pairs = flow_pairs(windows, T, SCALE, 8, FlowConfig(), np.random.default_rng(0))
    left = (1.0 - pairs.time)[..., None]
    R = pairs.R @ so3_exp(left * pairs.spin)
    np.testing.assert_allclose(R, np.broadcast_to(T[:, None, :3, :3], R.shape), atol=1e-7)
    y = SCALE.mean + SCALE.sigma * (pairs.y + left * pairs.drift)
    t = windows.centre()[:, None] - (R @ y[..., None])[..., 0]
    np.testing.assert_allclose(t, np.broadcast_to(T[:, None, :3, 3], t.shape), atol=1e-7)


def test_noise_is_upright_with_gravity_and_anything_without(seen: tuple[Windows, np.ndarray]) -> None:
    windows = seen[0]
    R = start_rotations(windows, 200, FlowConfig(), np.random.default_rng(0))
    given = windows.up.any(axis=1)
    cosine = np.einsum("bdi,bi->bd", R[..., 2], windows.up)
    assert cosine[given].min() > np.cos(0.6)
    turn = rotation_angle(R[:, :-1], R[:, 1:])
    assert turn[given].mean() == pytest.approx(np.pi / 2, abs=0.1)  # uniform yaw
    assert turn[~given].mean() == pytest.approx(np.pi / 2 + 2 / np.pi, abs=0.1)  # uniform over SO(3)


def test_a_posterior_with_two_modes_is_learned_in_few_steps() -> None:
    """One wrist at one pose; the robot stands left or right of it, equally often. Both must come out, nothing between."""
    rng = np.random.default_rng(0)
    modes = np.stack([yaw(0.8, 0.2, 0.3, 0.0), yaw(-0.8, 0.2, -0.3, 0.0)])
    valid = np.zeros((1, 4, 2), bool)
    valid[..., 1] = True
    T = np.zeros((1, 4, 2, 4, 4))
    T[:, :, 1] = yaw(0.0, 0.5)
    one = Windows(T, valid, 0.1 * np.arange(4.0)[None], np.array([[0.0, 0.0, 1.0]]))
    scale = CentreScale(np.array([0.4, 0.0, 0.0]), np.array([0.2, 0.3, 0.05]))
    config, flow = replace(TINY, layers=1), FlowConfig()
    torch.manual_seed(0)
    net = RootFlowNet(config)
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-2)
    clip = ClipTensors.of(one, config)
    pairs = [flow_pairs(one, modes[k : k + 1], scale, 2000, flow, rng) for k in (0, 1)]
    points = [
        torch.from_numpy(np.concatenate([getattr(p, name) for p in pairs], axis=1)).float()
        for name in ("R", "y", "time", "spin", "drift")
    ]
    losses = []
    for _ in range(130):
        chosen = rng.integers(4000, size=192)
        R, y, time, spin, drift = (p[:, chosen] for p in points)
        said = net.velocity(clip, net.encode(clip), R, y, time)
        loss = ((said[0] - spin) ** 2).mean() + ((said[1] - drift) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert np.mean(losses[-10:]) < 0.75 * np.mean(losses[:5])
    samples = RootEstimator(net, scale, flow).sample(one, 200, rng)[0]
    angle = rotation_angle(samples[:, None, :3, :3], modes[None, :, :3, :3])
    moved = np.linalg.norm(samples[:, None, :3, 3] - modes[None, :, :3, 3], axis=-1)
    at = (angle < 0.35) & (moved < 0.15)
    assert at.any(axis=1).mean() > 0.75
    assert (at.mean(axis=0) > 0.25).all()


def test_sampling_follows_the_field(seen: tuple[Windows, np.ndarray]) -> None:
    """With the exact field towards one root, every sample ends there."""
    windows, T = some(seen[0], 4), seen[1][:4]
    y1 = (np.einsum("bji,bj->bi", T[:, :3, :3], windows.centre() - T[:, :3, 3]) - SCALE.mean) / SCALE.sigma

    def field(R: np.ndarray, y: np.ndarray, time: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        from reenact.geometry.rotations import so3_log

        left = (1.0 - time)[..., None]
        return so3_log(np.swapaxes(R, -1, -2) @ T[:, None, :3, :3]) / left, (y1[:, None] - y) / left

    samples = sample_roots(field, windows, SCALE, 5, FlowConfig(ode_steps=10), np.random.default_rng(0))
    np.testing.assert_allclose(samples, np.broadcast_to(T[:, None], samples.shape), atol=1e-6)
