"""What the commands do, one function each; its docstring is its help."""

from __future__ import annotations

import io
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .table import shown, table

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
    from ..training.checkpoint import latest_step
    from ..training.run import family_of
    from ..training.workdir import describe
    from ..training.workdir import train as train_run

    family_of(options.family)
    for number in ("steps", "seed", "until"):
        within(number, getattr(options, number), 0)
    within("seeds", options.seeds, 1)
    data = load(options.data, labels=options.labels, data_dir=options.data_dir)
    changes = dict(pair(text) for text in options.set)
    if options.steps is not None:
        changes["steps"] = options.steps
    how = (options.data_dir, options.labels, options.seed, changes, options.seeds)
    run = describe(options.family, data, *how)
    name = Path(options.data).absolute().stem
    directory = Path(options.workdir or f"runs/{name}-{options.family}-{options.seed}")
    fitted = train_run(
        run,
        data.train,
        directory,
        pictures=painter(run, data),
        until=options.until,
        histograms=options.histograms,
        profile=options.profile,
        stop=stop,
    )
    step = latest_step(fitted.state)
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

    from ..report import grid
    from ..report.journey import samples

    picture = len(run.event.shape) == 3
    real = jax.tree.map(lambda leaf: leaf[: 64 if picture else LOOK], data.test)

    def paint(params, path: Path) -> None:
        x = samples(run.model.distribution, params, jax.random.key(0), len(real.x), real.cond)
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
    run, params, _, step, *_ = load_run(options.run)
    classes = run.event.classes
    if options.label is not None and not 0 <= options.label < classes:
        wanted = f"a label 0..{classes - 1}" if classes else "none, the run is not conditional"
        raise ValueError(
            f"--label: got {options.label}, wanted {wanted}; change it or leave it out"
        )
    cond = labels(run.event, options.count, options.label)
    key = jax.random.key(options.seed)
    x = np.asarray(sample_many(run.model.distribution, params, key, options.count, cond))
    content = io.BytesIO()
    if out.suffix == ".png":
        content.write(grid(x, run.event))
    else:
        given: Any = {} if cond is None else {"y": cond}
        np.savez_compressed(content, x=in_own_units(x, run.config["about"]), **given)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(content.getvalue())
    except OSError as error:
        raise OSError(
            f"--out: cannot write {out} ({error.strerror}); choose another place"
        ) from error
    print(f"{options.count} samples of {run.config['family']} at step {step} in {out}")


def labels(event, count: int, label: int | None = None):
    """The condition of `count` draws: one label, or every class in turn; None without classes."""
    import numpy as np

    every = np.arange(count) % max(1, event.classes)
    if not event.classes:
        return None
    return every if label is None else np.full_like(every, label)


def in_own_units(x, about: dict):
    """Samples as the user's file had them: standardised columns get their mean and scale back."""
    import numpy as np

    scaling = about.get("scaling")
    return x if scaling is None else x * np.array(scaling["scale"]) + np.array(scaling["mean"])


def info(options) -> None:
    """what a run is: its config, its blocks and who owns them, where it stands, what it left on disk"""
    from ..evaluation.bits import claim_of
    from ..training.watch import read_lines
    from ..training.workdir import load_run, parameters

    run, params, _, step, seconds, memory = load_run(options.run)
    config, directory = run.config, Path(options.run)
    rows = [(key, shown(config[key])) for key in ("family", "data", "labels", "seed", "seeds")]
    rows += [("event", shown(run.event)), ("claim", claim_of(run.model.distribution))]
    rows += [("step", f"{step} of {run.recipe.steps}"), ("seconds", shown(seconds))]
    rows += [("memory of training", f"{memory / 2**20:.1f} MiB" if memory else "-")]
    saved = sorted(int(p.name) for p in (directory / "checkpoints").iterdir() if p.name.isdigit())
    rows += [("checkpoints", ", ".join(map(str, saved)))]
    rows += [("parameters", shown(parameters(params)))]
    rows += [(key, shown(value)) for key, value in config["settings"].items()]
    if lines := read_lines(directory / "metrics.jsonl"):
        rows += [(key, shown(value)) for key, value in lines[-1].items() if key != "step"]
    table(str(options.run), ("", ""), rows)
    players = run.model.players.items()
    owners = {b: ", ".join(n for n, p in players if b in p.owns) or "nobody" for b in params}
    blocks = [(b, shown(parameters(params[b])), owners[b]) for b in params]
    table("blocks", ("block", "parameters", "owner"), blocks)
