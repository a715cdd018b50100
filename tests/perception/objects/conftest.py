"""The drawn clip, made once."""

from __future__ import annotations

import pytest

from tests.perception.objects import drawn


@pytest.fixture(scope="session")
def clip() -> drawn.Drawn:
    return drawn.draw()
