"""A film of a trained run: base samples carried to data."""

from __future__ import annotations

from pathlib import Path

from .commands import labels, within

RATE = 15  # frames a second


def animate(options) -> None:
    """show a trained run carrying base samples to data, as a GIF or a film"""
    import jax

    from ..report.animate import animate as frames_of
    from ..report.film import gif, mp4, program
    from ..training.workdir import load_run

    out = Path(options.out)
    if out.suffix not in (".gif", ".mp4"):
        raise ValueError(
            f"--out: got {options.out}, wanted FILE.gif or FILE.mp4; change its ending"
        )
    if out.suffix == ".mp4":
        program()
    within("count", options.count, 1)
    within("seed", options.seed, 0)
    if not 0.5 <= options.seconds <= 60:
        raise ValueError(
            f"--seconds: got {options.seconds}, wanted 0.5 to 60 of the film; choose another"
        )
    run, params, _, step, *_ = load_run(options.run)
    picture = len(run.event.shape) == 3
    count = options.count or (36 if picture else 800)
    frames = frames_of(
        run.model.distribution,
        params,
        jax.random.key(options.seed),
        run.event,
        count,
        labels(run.event, count),
        frames=round(RATE * options.seconds),
    )
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        if out.suffix == ".gif":
            out.write_bytes(gif(frames, options.seconds))
        else:
            mp4(frames, options.seconds, str(out))
    except OSError as error:
        raise OSError(f"--out: cannot write {out} ({error.strerror or error})") from error
    print(f"{options.seconds:g} s of {run.config['family']} at step {step} in {out}")
