"""Fixtures shared by all tests: where the optional shared data lies, and shape checking switched on."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import jaxtyping
import pytest
import scipy.linalg  # noqa: F401 -- brings a BLAS of its own, which can be held only once it is loaded
from threadpoolctl import threadpool_limits

from tests import typecheck

typecheck.install()
threadpool_limits(limits=1, user_api="blas")  # as stages run; on two cores the suite takes a third less time
gc.disable()  # what imports make stays: looking through it again and again takes a quarter of the time of collecting


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--shared", default=None, help="folder with data/ and robots/ (default: ../shared)")


def pytest_collection_finish() -> None:
    """From here on garbage is looked for among what tests make only."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def shared_dir(request: pytest.FixtureRequest) -> Path:
    """Real clips and reference robots nobody here wrote; tests that want them skip where they are absent."""
    given = request.config.getoption("--shared")
    folder = Path(given) if given else Path(__file__).resolve().parents[2] / "shared"
    if not (folder / "data").is_dir():
        pytest.skip(f"shared data not found at {folder} (pass --shared PATH)")
    return folder


@pytest.fixture
def unchecked() -> Iterator[None]:
    """As in production, where no hook checks types: for tests of our own errors about wrong dtypes and shapes."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)
