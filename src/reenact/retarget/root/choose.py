"""Which root method is asked: the search, the learned estimator, or both."""

from __future__ import annotations

from typing import Literal, assert_never

from reenact.retarget.root.contract import RootRequest, RootResult
from reenact.retarget.root.learned.config import LearnedConfig
from reenact.retarget.root.learned.method import learned_root, learned_search_root
from reenact.retarget.root.search import SearchConfig, search_root

RootMethodName = Literal["search", "learned", "learned_search"]
"""search: no training, any robot; learned: best of five of the trained sampler; learned_search: it proposes, the
search's polish and judge finish."""


def find_root(
    method: RootMethodName, request: RootRequest, search: SearchConfig, learned: LearnedConfig
) -> RootResult:
    """Where the robot would stand.

    Raises:
        NoHandToFollow: no side has both an arm and a valid hand.
        NoTorch, NoRootWeights, BadRootWeights: see `learned.errors`; only with the learned methods.
    """
    if method == "search":
        return search_root(request, search)
    if method == "learned":
        return learned_root(request, learned, search)
    if method == "learned_search":
        return learned_search_root(request, learned, search)
    assert_never(method)
