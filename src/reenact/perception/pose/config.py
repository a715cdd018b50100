"""Thresholds of the pose role."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PoseConfig:
    """Lengths in metres, angles in radians unless named otherwise."""

    window_px: int = 112
    """Side of the square close-up in which outlines and drawn meshes are compared."""
    surface_points: int = 3000
    """Points sampled on a mesh for matching depth."""
    cloud_points: int = 500
    """Depth points used per object and frame."""
    contour_points: int = 120
    """Points of the drawn outline used per frame."""
    iterations: int = 6
    """Gauss-Newton steps per drawing of the mesh."""
    more_rounds: int = 3
    """With depth, at most so many more drawings where the last step was long."""
    outline_sigma_px: float = 1.0
    """Noise of a mask's edge, pixels of the mask."""
    outline_bias_px: float = 1.0
    """One-sigma of how much all of a mask's edge lies too far in or out (as in `ShapeFitConfig`)."""
    outline_run_px: float = 8.0
    """Along this many pixels of a mask's edge its error is the same: so many pixels count as one measurement."""
    track_sigma: float = 0.0016
    """Noise of a followed point as a share of the picture's width (LK at 640 pixels across: one of these)."""
    anchor_sigma: float = 0.003
    """Noise of the place of a followed point on the mesh."""
    anchor_scale: float = 0.05
    """Where no depth is measured, relative one-sigma of the distance at which a point got its place, beside the pose's own:
    another pose may fit as well."""
    anchor_doubt_s: float = 0.15
    """A followed point that contradicts the poses for so much longer than it agrees (s) loses its place."""
    effective_points: float = 40.0
    """Neighbouring depth or outline points share their error; a term counts as at most so many independent ones."""
    surface_reach: float = 0.04
    """Depth points farther than this from the mesh are not the object's."""
    speed: float = 1.0
    """Fastest usual motion of a held thing (m/s): the spread of the prediction."""
    turn_rate: float = 4.0
    """Fastest usual turn (rad/s)."""
    hand_skin: float = 0.008
    """From a joint's centre to the skin of a finger."""
    support_sigma_min: float = 0.002
    """Floor of the support plane's sigma when things stand on it."""
    still_reach: float = 0.006
    """Things whose mask moves or grows by less than this (rad) within `still_s` are still."""
    path_reach: float = 0.006
    """Added to it before a moving camera whose path is known (rad): errors of the path, the floor and the outline's foot."""
    still_s: float = 0.5
    """Window of that."""
    min_area_px: int = 40
    """Mask pixels below which nothing is said about a pose."""
    min_iou: float = 0.6
    """Overlap of the drawn and the seen outline (what hands hide left out) below which a pose is not valid."""
    search_rest_s: float = 0.3
    """After a search that found nothing better, seconds until the next; twice as long after each in a row."""
    search_rest_max_s: float = 1.2
    """Longest such wait (s)."""
    doubt_iou: float = 0.85
    """Overlap below which a wider search is tried, where enough of the object is unhidden."""
    min_track_points: int = 6
    """Followed points that can carry a pose while most of the mask is hidden."""
    points_reach: float = 3.0
    """A followed point agrees with a pose that puts it so near to where it is seen (times `track_sigma`)."""
    points_agree: float = 0.6
    """Share of the followed points that must agree with one pose for it to be carried by them."""
    points_lost: float = 0.6
    """A pose with which this much fewer of them agree (times) contradicts them: what it was fitted to is not the object."""
    by_points_covered: float = 0.7
    """A pose carried by points holds where this share of the drawn object lies in the mask, or of the mask in it."""
    min_visible_share: float = 0.12
    """Share of the drawn outline that must be unhidden for a pose from the outline alone."""
    ransac_rounds: int = 60
    """Tries of the rigid fit of 3D tracks."""
    ransac_reach: float = 0.012
    """Inlier distance of that fit (grows with the noise of depth)."""
    depth_sigma_floor: float = 0.003
    """Floor of the sigma of a depth point."""
    search_turns: int = 24
    """Turns about the upright tried for a thing that stands on a known plane."""
    search_rotations: int = 144
    """Rotations tried where nothing says what is up."""
    search_keep: int = 12
    """Best candidates of the search that are refined a little."""
    search_finish: int = 4
    """Best of those that are refined to the end."""
    start_frames: int = 3
    """Clear frames in which a first pose is looked for."""
    plain_iou: float = 0.97
    """After a frame that a pose fits so well no other is looked at."""
    start_apart_s: float = 0.4
    """These lie at least so far from each other."""
    start_reach: float = 0.08
    """First poses whose value is at most this much lower than the best one's are followed before one is taken."""
    start_hypotheses: int = 5
    """At most so many."""
    edge_worth: float = 0.3
    """What edges that lie on those of the mask count for there, beside the overlap."""
    start_runs: int = 4
    """Of those followed for a while, so many are followed through the clip, as far as they are not beaten."""
    start_apart_share: float = 0.2
    """And at least this share of the clip, so that what is lost on the way from one is found from another."""
    start_reach_other: float = 0.25
    """Of every such frame the best pose is followed if its value is at most this much lower than the best one's."""
    meet_s: float = 0.25
    """A way to follow it ends where it has been the same as an earlier one for so long."""
    beaten_s: float = 0.6
    """It also ends where it has for so long agreed less than an earlier one, and all in all as well,"""
    beaten: float = 0.1
    """by this much in the mean."""
    broken_s: float = 0.3
    """A way that found no pose for so long, or was put elsewhere by a search, is broken from there on:"""
    broken_worth: float = 0.8
    """what it agrees counts this much only, for it may have been found again at something else,"""
    clear_iou: float = 0.88
    """until it overlaps so well"""
    clear_share: float = 0.9
    """in a frame that shows so much of it."""
    points_worth: float = 0.9
    """What a pose is worth that all followed points agree with, whatever its outline."""
    way_scale: float = 0.12
    """Of two ways to follow it, one that agrees less by this much times seconds is e times less likely."""
    jump: float = 0.5
    """What a change from one way to another costs where their poses differ plainly (worth times seconds)."""
    follow_s: float = 0.9
    """For so long, both ways."""
    follow_every_s: float = 0.15
    """In steps of this."""
    misfit_price: float = 0.01
    """What one sigma of misfit of all evidence, followed points included, costs a followed pose."""
    flip_price: float = 0.15
    """A pose of a search that turns away from the prediction must fit better by this much per radian."""
    undersaid: float = 0.3
    """Without measured depth, sigmas are widened by at most this share: without it, errors of the knife and hammer of toy
    seeds 5 and 6 are within two sigmas in 82 to 100 % of frames only (an outline has more local answers than are tried),"""
    undersaid_edge: float = 1.2
    """and by this share of the part of the mask that lies at its edge (of a crate a twentieth, of a knife a quarter)."""
    twin_reach: float = 0.2
    """A twin (a pose that looks alike) is refined where its score is at most this much lower before."""
    twin_every_s: float = 0.2
    """Twins are looked for once in this time (s); frames between keep the doubt."""
    twin_rest_s: float = 1.0
    """The same while the object lies still (s): its pose and what hides it are as they were at the last look."""
    twin_scale: float = 0.01
    """A twin whose score is lower by this much is e times less likely, for a thing without edges and a perfect fit."""
    twin_edge: float = 0.1
    """How much is added to that for the share of the mask that lies at its edge."""
    twin_unexplained: float = 0.2
    """How much is added for the share of the outline that the pose leaves unexplained."""
    seed: int = 0
    """Seed of sampling and RANSAC."""
