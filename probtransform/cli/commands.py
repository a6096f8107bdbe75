"""What the commands do, one function each; its docstring is its help."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path


def list_(options) -> None:
    """the families, what each claims, and the data sets that come along"""
    from ..families import registry
    from ..evaluation.bits import claim_of
    from ..data import OURS, TOYS

    rows = [
        (name, claim_of(family.tiny()[0].distribution), family.build.__doc__.split("\n")[0])
        for name, family in registry.items()
    ]
    table("families", ("family", "claim", ""), rows)
    print("data:", ", ".join((*OURS, *TOYS)), "- or a path, or a TFDS name")


def train(options) -> int | None:
    """train FAMILY on data, or go on with a run that was interrupted"""
    from ..data import load
    from ..training.run import family_of
    from ..training.workdir import describe
    from ..training.workdir import train as train_run

    family_of(options.family)
    if options.steps is not None and options.steps < 0:
        raise ValueError(f"--steps: got {options.steps}, wanted 0 or more; leave it out for the preset")
    if options.seed < 0:
        raise ValueError(f"--seed: got {options.seed}, wanted 0 or more; choose another")
    data = load(options.data, labels=options.labels, data_dir=options.data_dir)
    changes = dict(pair(text) for text in options.set)
    if options.steps is not None:
        changes["steps"] = options.steps
    run = describe(options.family, data, options.data_dir, options.labels, options.seed, changes)
    name = Path(options.data).stem
    directory = Path(options.workdir or f"runs/{name}-{options.family}-{options.seed}")
    asked: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda got, frame: asked.append(got))
    fitted = train_run(
        run, data.train, directory, pictures=painter(run, data), stop=lambda: bool(asked)
    )
    step = int(fitted.state.step)
    if not fitted.finished:
        print(f"stopped and saved at step {step} in {directory}; the same command goes on from there")
        return None
    print(f"{options.family} at step {step} in {directory} after {fitted.seconds:.1f} s of training")
    print(f"next: probtransform evaluate {directory}; probtransform sample {directory}")
    return None


def pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (key and equals and value):
        raise ValueError(f"--set: got {text!r}, wanted key=value; write for example --set width=128")
    return key, value


def painter(run, data) -> Callable:
    """`(params, path) -> None`: a picture of samples, always from the same noise."""
    import jax

    from ..core import sample_many
    from ..report import grid

    cond = None if data.test.cond is None else data.test.cond[:64]
    count = len(data.test.x[:64])

    def paint(params, path: Path) -> None:
        x = sample_many(run.model.distribution, params, jax.random.key(0), count, cond)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(grid(x, run.event))

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
        raise ValueError(f"--out: got {options.out}, wanted FILE.png or FILE.npz; change its ending")
    run, params, step, _ = load_run(options.run)
    classes = run.event.classes
    if options.label is not None and not 0 <= options.label < classes:
        wanted = f"a label 0..{classes - 1}" if classes else "none, the run is not conditional"
        raise ValueError(f"--label: got {options.label}, wanted {wanted}; change it or leave it out")
    cond = None
    if classes:
        every = np.arange(options.count) % classes
        cond = every if options.label is None else np.full_like(every, options.label)
    key = jax.random.key(options.seed)
    x = np.asarray(sample_many(run.model.distribution, params, key, options.count, cond))
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.suffix == ".png":
        out.write_bytes(grid(x, run.event))
    else:
        labels = {} if cond is None else {"y": cond}
        np.savez_compressed(out, x=in_own_units(x, run.config["about"]), **labels)
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
    from ..training.workdir import load_run, parameters

    run, params, step, seconds = load_run(directory)
    config = run.config
    if data is None:
        data = load(config["data"], labels=config["labels"], data_dir=config["data_dir"])
    if tuple(data.event) != tuple(run.event):
        raise ValueError(
            f"data: {config['data']} now has {data.event}, wanted {run.event} as the run was trained on; "
            "restore it"
        )
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
    row = measured(options.run, samples=options.samples)
    if options.json:
        print(json.dumps(row))
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
