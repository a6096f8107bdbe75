"""How long one waits before training starts: parameters of every family, and the import of the package.

    python -m benchmarks.init        (about nine minutes)

`learner.init` of each family at its digits preset as `fit` compiles it, tracing and compilation included, in
a fresh process without a compilation cache: at most 2 seconds. `import probtransform` after `import jax`: at
most half a second; what the imports of its parts take is shown beside it. Least of five processes; CPU
seconds, over all threads of the compiler, are kept with the results.
"""

from __future__ import annotations

import subprocess
import sys

from probtransform.families import registry

from .timing import Row, publish, show

INIT = """
import jax, jax.numpy as jnp, time
from probtransform.core import Batch, Event
from probtransform.families import registry
from probtransform.training import Recipe, learner, optimizer
from probtransform.training.fit import HASTY
event = Event((8, 8, 1), 17, 0)
family = registry[{name!r}]
batch = Batch(jax.random.randint(jax.random.key(1), (1437, *event.shape), 0, 17).astype(jnp.uint8))
key = jax.block_until_ready(jax.random.key(0))
preset = {{k: v for k, v in family.preset(event).items() if k in Recipe.__dataclass_fields__}}
own = {{k: v for k, v in family.preset(event).items() if k not in preset}}
began, cpu = time.perf_counter(), time.process_time()
init = learner(family.build(event, **own), optimizer(Recipe(**preset))).init
jax.block_until_ready(jax.jit(init, compiler_options=HASTY)(key, batch))
print(time.perf_counter() - began, time.process_time() - cpu)
"""

IMPORT = """
import jax, time
began, cpu = time.perf_counter(), time.process_time()
{what}
print(time.perf_counter() - began, time.process_time() - cpu)
"""


def least(program: str, processes: int = 5) -> tuple[float, dict[str, list[float]]]:
    """The smallest of the wall-clock seconds that the program prints, and all of them with CPU seconds."""
    command, wall, cpu = [sys.executable, "-c", program], [], []
    for _ in range(processes):
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        for kept, seconds in zip((wall, cpu), output.split(), strict=True):
            kept.append(round(float(seconds), 3))
    return min(wall), {"wall": wall, "cpu": cpu}


def main() -> None:
    rows = []
    for name in registry:
        seconds, each = least(INIT.format(name=name))
        rows.append(
            show(
                Row(
                    f"init, {name}, seconds",
                    seconds,
                    2.0,
                    True,
                    f"CPU {min(each['cpu']):.2f}",
                    each,
                )
            )
        )
    seconds, each = least(IMPORT.format(what="import probtransform"))
    rows.append(show(Row("import probtransform, seconds", seconds, 0.5, detail=each)))
    parts = {
        part: least(IMPORT.format(what=f"import probtransform.{part}"))[0]
        for part in ("core", "families", "training", "cli")
    }
    print(
        "  of its parts: " + ", ".join(f"{part} {seconds:.2f}" for part, seconds in parts.items())
    )
    publish("init", rows, parts=parts)


if __name__ == "__main__":
    main()
