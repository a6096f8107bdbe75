"""JAX on the CPU for every test, compiled in haste: nearly all their time is compilation.

OPTIMISED=1 compiles as users do.
"""

import os
import subprocess
import sys
import tempfile
from itertools import count
from pathlib import Path

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import pytest

# the older emitters, and one module to link for each program: compiled in less than half the time
HASTE = "--xla_cpu_use_fusion_emitters=false --xla_cpu_parallel_codegen_split_count=1"
MANY_MAPS, ENDED = 25_000, count()  # to look at them takes longer than many a test


def understood(flags: str) -> bool:
    """Whether this compiler has them: one that has not ends the process."""
    look = [sys.executable, "-c", "import jax; jax.devices()"]
    environment = os.environ | {"XLA_FLAGS": flags}
    return not subprocess.run(look, env=environment, capture_output=True).returncode


optimised = bool(os.environ.get("OPTIMISED"))
if not optimised and "XLA_FLAGS" not in os.environ:
    os.environ["XLA_FLAGS"] = HASTE if understood(HASTE) else ""  # workers find it there
jax.config.update("jax_disable_most_optimizations", not optimised)


@pytest.fixture(scope="session", autouse=True)
def compiled_once():
    """Programs that several tests compile alike are compiled once, and forgotten with the session."""
    with tempfile.TemporaryDirectory() as directory:
        jax.config.update("jax_compilation_cache_dir", directory)
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)
        yield
        jax.config.update("jax_compilation_cache_dir", None)


@pytest.fixture(autouse=True)
def forgotten_in_time():
    """A process may hold some 65,000 memory maps, a compiled program has many, and then it is killed."""
    yield
    maps = Path("/proc/self/maps")
    if next(ENDED) % 10 == 0 and maps.exists() and maps.read_bytes().count(b"\n") > MANY_MAPS:
        jax.clear_caches()


@pytest.fixture
def key():
    return jax.random.key(0)
