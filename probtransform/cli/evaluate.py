"""All numbers of a trained run."""

from __future__ import annotations

import json
import math
from itertools import groupby
from pathlib import Path
from typing import Any

from .table import shown, table


def evaluate(options) -> None:
    """bits per dimension where the claim allows, and distances of samples, on the test half"""
    from ..features import named
    from .commands import within

    within("samples", options.samples, 1)
    within("count", options.count, 2)
    extractor = named(options.features) if options.features else None
    row = measured(options.run, None, options.samples, extractor, options.count)
    not_asked = row.pop("not_asked")
    if options.json:  # which has no word for what is not finite
        finite = {k: v for k, v in row.items() if not isinstance(v, float) or math.isfinite(v)}
        print(json.dumps(dict.fromkeys(row) | finite | {"not_asked": not_asked}))
        return
    beside = ("_floor", "_se", "_kind", "_spread")
    rows = [
        (name, shown(value), *(shown(row.get(name + end)) for end in ("_floor", "_spread")))
        for name, value in row.items()
        if not name.endswith(beside) or name.endswith(("_se", "_kind"))
    ]
    header = ("", "", "floor", "spread over seeds")
    width = 4 if row["seeds"] > 1 else 3
    table(str(options.run), header[:width], [r[:width] for r in rows])
    for why, names in groupby(not_asked.items(), lambda item: item[1]):
        print(f"not asked: {', '.join(name for name, _ in names)}: {why}")


def measured(
    directory: str | Path,
    data=None,
    samples: int | None = None,
    extractor=None,
    count=None,
    floor=None,
) -> dict[str, Any]:
    """Everything `evaluate` prints of one run, means over its seeds."""
    import jax

    from ..data import load
    from ..evaluation import measure, over_seeds
    from ..families import registry
    from ..features import usual
    from ..training.run import same_data
    from ..training.workdir import load_run, parameters

    trained = load_run(directory)
    config = trained.run.config
    if data is None:
        data = load(config["data"], labels=config["labels"], data_dir=config["data_dir"])
    same_data(config, data.event, data.about)
    extractor = extractor or usual(config["data"])
    count = count or measure.COUNT
    if floor is None:
        floor = floor_of(data, extractor, count)
    how = {"extractor": extractor, "count": count, "floor": floor}
    rows = []
    for member in range(config["seeds"]):
        each = load_run(directory, member) if member else trained
        key = jax.random.key(each.seed)
        weights = samples or registry[config["family"]].samples
        parts = (trained.run.event, data.train, data.test, key, weights)
        rows.append(measure.evaluate(trained.run.model, each.params, *parts, **how))
    return {
        "family": config["family"],
        "data": config["data"],
        **over_seeds(rows),
        "seconds": round(trained.seconds, 2),
        "memory": trained.memory,
        "parameters": parameters(trained.params),
        "seed": config["seed"],
        "seeds": config["seeds"],
        "step": trained.step,
    }


def floor_of(data, extractor=None, count=None) -> dict[str, float]:
    """What real data score against real data, the same for every model of them."""
    from ..evaluation import measure
    from ..features import usual

    extractor = extractor or usual(data.name)
    return measure.floors(data.event, data.train, data.test, extractor, count or measure.COUNT)
