"""One batch on several devices: each computes its share, and all hold the same parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from .feed import Feed


def everywhere(devices: Sequence[Any]) -> NamedSharding:
    """Arrays whole on each of these devices."""
    return NamedSharding(Mesh(list(devices), ("batch",)), PartitionSpec())


def divided(feed: Feed, devices: Sequence[Any], seeds: int) -> Feed:
    """The same batches, of every one an equal share on each device.

    Only where numbers live is said: the compiler divides what is computed of each example, and adds up the
    slopes, so that steps are those of one device up to the order of sums. All devices are this process's.

    Raises ValueError, when a batch is picked, unless it has as many examples for each.
    """
    whole, axis = everywhere(devices), int(seeds > 1)
    share = NamedSharding(whole.mesh, PartitionSpec(*[None] * axis, "batch"))

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
