"""What the commands do, one function each; its docstring is its help."""

from __future__ import annotations

import io
import json
import math
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

LOOK = 1000  # examples in a picture, at most; an image grid takes the first 64


def list_(options) -> None:
    """the families, what each claims, and the data sets that come along"""
    from ..data import OURS, TOYS
    from ..evaluation.bits import claim_of
    from ..families import registry

    rows = [
        (name, claim_of(family.tiny()[0].distribution), (family.build.__doc__ or "").split("\n")[0])
        for name, family in registry.items()
    ]
    table("families", ("family", "claim", ""), rows)
    print("data:", ", ".join((*OURS, *TOYS)), "- or a path, or a TFDS name")


def train(options) -> int | None:
    """train FAMILY on data, or go on with a run that was interrupted"""
    stop = interruptible()
    from ..data import load
    from ..training.run import family_of
    from ..training.workdir import describe
    from ..training.workdir import train as train_run

    family_of(options.family)
    for number in ("steps", "seed"):
        within(number, getattr(options, number), 0)
    data = load(options.data, labels=options.labels, data_dir=options.data_dir)
    changes = dict(pair(text) for text in options.set)
    if options.steps is not None:
        changes["steps"] = options.steps
    run = describe(options.family, data, options.data_dir, options.labels, options.seed, changes)
    name = Path(options.data).absolute().stem
    directory = Path(options.workdir or f"runs/{name}-{options.family}-{options.seed}")
    fitted = train_run(run, data.train, directory, pictures=painter(run, data), stop=stop)
    step = int(fitted.state.step)
    if not fitted.finished:
        print(
            f"stopped and saved at step {step} in {directory}; the same command goes on from there"
        )
        return None
    print(
        f"{options.family} at step {step} in {directory} after {fitted.seconds:.1f} s of training"
    )
    print(f"next: probtransform evaluate {directory}; probtransform sample {directory}")
    return None


def interruptible() -> Callable[[], bool]:
    """From now on SIGTERM and Ctrl-C are noted, not obeyed: True once one has come. A second Ctrl-C is."""
    asked: list[int] = []

    def note(number, frame):
        if number == signal.SIGINT and asked:
            raise KeyboardInterrupt
        asked.append(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, note)
    return lambda: bool(asked)


def within(name: str, number: int | None, least: int, most: int = 2**31 - 1) -> None:
    """Raises ValueError for an option beyond its limits; None is one left out."""
    if number is not None and not least <= number <= most:
        raise ValueError(f"--{name}: got {number}, wanted {least} to {most}; choose another")


def pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (key and equals and value):
        raise ValueError(
            f"--set: got {text!r}, wanted key=value; write for example --set width=128"
        )
    return key, value


def painter(run, data) -> Callable:
    """`(params, path) -> None`: a picture of samples, always from the same noise."""
    import jax

    from ..core import sample_many
    from ..report import grid

    picture = len(run.event.shape) == 3
    real = jax.tree.map(lambda leaf: leaf[: 64 if picture else LOOK], data.test)

    def paint(params, path: Path) -> None:
        x = sample_many(run.model.distribution, params, jax.random.key(0), len(real.x), real.cond)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(grid(x, run.event, None if picture else real.x))

    return paint


def sample(options) -> None:
    """draw from a trained run, into a picture or an array"""
    import jax
    import numpy as np

    from ..core import sample_many
    from ..report import grid
    from ..training.workdir import load_run

    out = Path(options.out)
    if out.suffix not in (".png", ".npz"):
        raise ValueError(
            f"--out: got {options.out}, wanted FILE.png or FILE.npz; change its ending"
        )
    within("count", options.count, 1)
    within("seed", options.seed, 0)
    run, params, step, _ = load_run(options.run)
    classes = run.event.classes
    if options.label is not None and not 0 <= options.label < classes:
        wanted = f"a label 0..{classes - 1}" if classes else "none, the run is not conditional"
        raise ValueError(
            f"--label: got {options.label}, wanted {wanted}; change it or leave it out"
        )
    cond = None
    if classes:
        every = np.arange(options.count) % classes
        cond = every if options.label is None else np.full_like(every, options.label)
    key = jax.random.key(options.seed)
    x = np.asarray(sample_many(run.model.distribution, params, key, options.count, cond))
    content = io.BytesIO()
    if out.suffix == ".png":
        content.write(grid(x, run.event))
    else:
        labels: Any = {} if cond is None else {"y": cond}
        np.savez_compressed(content, x=in_own_units(x, run.config["about"]), **labels)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(content.getvalue())
    except OSError as error:
        raise OSError(
            f"--out: cannot write {out} ({error.strerror}); choose another place"
        ) from error
    print(f"{options.count} samples of {run.config['family']} at step {step} in {out}")


def in_own_units(x, about: dict):
    """Samples as the user's file had them: standardised columns get their mean and scale back."""
    import numpy as np

    scaling = about.get("scaling")
    return x if scaling is None else x * np.array(scaling["scale"]) + np.array(scaling["mean"])


def measured(directory: str | Path, data=None, samples: int | None = None) -> dict:
    """Everything `evaluate` prints of one run."""
    import jax

    from ..data import load
    from ..evaluation import evaluate as measure
    from ..families import registry
    from ..training.run import same_data
    from ..training.workdir import load_run, parameters

    run, params, step, seconds = load_run(directory)
    config = run.config
    if data is None:
        data = load(config["data"], labels=config["labels"], data_dir=config["data_dir"])
    same_data(config, data.event, data.about)
    if samples is None:
        samples = registry[config["family"]].samples
    numbers = measure(
        run.model, params, run.event, data.train, data.test, jax.random.key(config["seed"]), samples
    )
    return {
        "family": config["family"],
        "data": config["data"],
        **numbers,
        "seconds": round(seconds, 2),
        "parameters": parameters(params),
        "seed": config["seed"],
        "step": step,
    }


def evaluate(options) -> None:
    """bits per dimension where the claim allows, and distances of samples, on the test half"""
    within("samples", options.samples, 1)
    row = measured(options.run, samples=options.samples)
    if options.json:  # which has no word for what is not finite
        whole = {
            k: v if not isinstance(v, float) or math.isfinite(v) else None for k, v in row.items()
        }
        print(json.dumps(whole))
    else:
        table(str(options.run), ("", ""), [(key, shown(value)) for key, value in row.items()])


def info(options) -> None:
    """what a run is: its config, where it stands, what it left on disk"""
    from ..training.watch import read_lines
    from ..training.workdir import load_run, parameters

    run, params, step, seconds = load_run(options.run)
    config = run.config
    rows = [(key, shown(config[key])) for key in ("family", "data", "labels", "seed")]
    rows += [("event", shown(run.event)), ("step", f"{step} of {run.recipe.steps}")]
    rows += [("seconds", shown(seconds)), ("parameters", shown(parameters(params)))]
    rows += [(key, shown(value)) for key, value in config["settings"].items()]
    if lines := read_lines(Path(options.run) / "metrics.jsonl"):
        rows += [(key, shown(value)) for key, value in lines[-1].items() if key != "step"]
    table(str(options.run), ("", ""), rows)


def table(title: str, header: tuple[str, ...], rows: list[tuple]) -> None:
    from rich.console import Console
    from rich.table import Table

    drawn = Table(*header, title=title, show_header=any(header))
    for row in rows:
        drawn.add_row(*map(str, row))
    Console().print(drawn)


def shown(value) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else f"{value}"
