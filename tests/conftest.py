"""Fixtures that several test modules share."""

import os
import shutil
import signal
from pathlib import Path

# Programs that any process of any test compiles are there for all the others; the bits are the
# same. To be set before JAX is imported.
_COMPILED = Path(__file__).parent.parent / ".pytest_cache" / "compiled"
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(_COMPILED))
os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
# There are as many processes as cores: threads of scikit-learn would wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import hypothesis  # noqa: E402
import jax  # noqa: E402
import matplotlib as mpl  # noqa: E402
import pytest  # noqa: E402

import children  # noqa: E402
import dsnlib  # noqa: E402

# The same examples in every run: a change is judged by what it changes, and not by the clock.
hypothesis.settings.register_profile("fixed", derandomize=True, deadline=None)
hypothesis.settings.load_profile("fixed")

# A shell starts what it puts into the background with Ctrl-C ignored, which children inherit.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config):
    """Toy runs are far too short to be trusted; what says so is tested where it is asked for."""
    config.addinivalue_line("filterwarnings", "ignore:the run in .* is not to be trusted")


#: Files that take minutes, the first ones mostly waiting for processes: begun last, they would keep
#: one core busy while the other is idle.
LONG = (
    "test_kills", "test_sweep", "test_readme", "test_notebooks", "test_runs", "test_faults",
    "test_smc", "test_training", "test_book", "test_studies", "test_stg", "test_objective",
)  # fmt: skip


def pytest_collection_modifyitems(items):
    """Put the long files first."""
    rank = {name: number for number, name in enumerate(LONG)}
    items.sort(key=lambda item: rank.get(item.path.stem, len(LONG)))


@pytest.fixture(scope="session", autouse=True)
def grids(tmp_path_factory):
    """Keep grids in a folder of this session, for child processes too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DSNLIB_CACHE", str(tmp_path_factory.mktemp("grids")))
        yield


@pytest.fixture(autouse=True)
def look():
    """Leave each test's style of figures behind: no test depends on those before it."""
    with mpl.rc_context():
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


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory):
    """Folder of the small run of `children`, complete and to be left as it is, and the run."""
    folder = tmp_path_factory.mktemp("runs") / "undisturbed"
    return folder, children.train(folder)


@pytest.fixture(scope="session")
def stopped(tmp_path_factory):
    """Folder of the small run, killed in its second epoch: with its last two checkpoints."""
    folder = tmp_path_factory.mktemp("stopped") / "run"
    process = children.start(folder, children.EVERY_STEP + children.SLOWLY)
    children.wait_for((folder / "here").exists, process)
    process.kill()
    process.wait()
    process.stderr.close()
    (folder / "here").unlink()
    return folder


@pytest.fixture
def folder(stopped, tmp_path):
    """A copy of that folder, to be disturbed."""
    return shutil.copytree(stopped, tmp_path / "run")
