"""Fixtures that several test modules share."""

import signal

import hypothesis
import jax
import pytest

import dsnlib

# The same examples in every run: a change is judged by what it changes.
hypothesis.settings.register_profile("fixed", derandomize=True)
hypothesis.settings.load_profile("fixed")

# A shell starts what it puts into the background with Ctrl-C ignored, which children inherit.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def grids(tmp_path_factory):
    """Keep grids in a folder of this session, for child processes too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DSNLIB_CACHE", str(tmp_path_factory.mktemp("grids")))
        yield


@pytest.fixture
def x64():
    """Run the test in JAX's double precision."""
    with jax.enable_x64(True):
        yield


@pytest.fixture
def oscillation() -> dsnlib.EmergentProperty:
    """A property of the linear system: no growth, 1 Hz."""
    return dsnlib.EmergentProperty(mean=[0.0, 1.0], sd=[0.5, 0.2])
