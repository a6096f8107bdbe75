"""Several devices: each has its share of the runs or, of one run, of every batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from .feed import Feed


def everywhere(devices: Sequence[Any]) -> NamedSharding:
    """Arrays whole on each of these devices."""
    return NamedSharding(Mesh(list(devices), ("share",)), PartitionSpec())


def apart(devices: Sequence[Any], seeds: int) -> bool:
    """Whether the devices can have as many runs each, which then have nothing to tell one another."""
    return seeds > 1 and seeds % len(devices) == 0


def held(devices: Sequence[Any], seeds: int) -> NamedSharding:
    """Where the state of so many runs lives: a share on each device or, if none can be, whole on all."""
    spec = PartitionSpec("share") if apart(devices, seeds) else PartitionSpec()
    return NamedSharding(everywhere(devices).mesh, spec)


def divided(feed: Feed, devices: Sequence[Any], seeds: int) -> Feed:
    """The same batches, on each device those of its runs or, if those cannot be shared, a part of every one.

    Only where numbers live is said: the compiler divides what is computed of each run or example, and adds
    up the slopes, so that steps are those of one device up to the order of sums. All devices are this
    process's.

    Raises ValueError, when a batch is picked that must be shared and has not as many examples for each.
    """
    whole, runs = everywhere(devices), apart(devices, seeds)
    axis = int(seeds > 1 and not runs)
    share = NamedSharding(whole.mesh, PartitionSpec(*[None] * axis, "share"))

    def read(*at):
        return jax.device_put(feed.read(*at), whole)

    def pick(source, i):
        batch = feed.pick(source, i)
        size = jax.tree.leaves(batch)[0].shape[axis]
        if size % len(devices):
            raise ValueError(
                f"fit: got a batch of {size} for {len(devices)} devices, wanted as many examples for each; "
                "choose another batch, or fewer devices"
            )
        return jax.lax.with_sharding_constraint(batch, share)

    return feed._replace(read=read, pick=pick)
