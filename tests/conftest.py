"""Fixtures that several test modules share."""

import jax
import pytest

import dsnlib


@pytest.fixture
def x64():
    """Run the test in JAX's double precision."""
    with jax.enable_x64(True):
        yield


@pytest.fixture
def oscillation() -> dsnlib.EmergentProperty:
    """A property of the linear system: no growth, 1 Hz."""
    return dsnlib.EmergentProperty(mean=[0.0, 1.0], sd=[0.5, 0.2])
