"""JAX on the CPU for every test, compiled in haste: nearly all their time is compilation.

OPTIMISED=1 compiles as users do.
"""

import os
import tempfile

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import pytest

jax.config.update("jax_disable_most_optimizations", not os.environ.get("OPTIMISED"))


@pytest.fixture(scope="session", autouse=True)
def compiled_once():
    """Programs that several tests compile alike are compiled once, and forgotten with the session."""
    with tempfile.TemporaryDirectory() as directory:
        jax.config.update("jax_compilation_cache_dir", directory)
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)
        yield
        jax.config.update("jax_compilation_cache_dir", None)


@pytest.fixture
def key():
    return jax.random.key(0)
