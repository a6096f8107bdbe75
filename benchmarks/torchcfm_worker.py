"""Flow matching as torchcfm's tutorial trains it: run by `benchmarks.torchcfm_steps`, in a Python with torch.

    python torchcfm_worker.py THREADS resident|drawn

Reads a number of steps a line, trains so many, answers with wall-clock and CPU seconds. Moons lie in memory
(`resident`) or are drawn afresh each step by the tutorial's own function (`drawn`).
"""

import sys
import time

import torch
from torchcfm.conditional_flow_matching import ConditionalFlowMatcher
from torchcfm.models.models import MLP
from torchcfm.utils import sample_moons

BATCH, SIGMA = 256, 0.1

torch.set_num_threads(int(sys.argv[1]))
model = MLP(dim=2, time_varying=True)
optimizer = torch.optim.Adam(model.parameters(), 1e-3)
matcher = ConditionalFlowMatcher(sigma=SIGMA)
data = sample_moons(10_000)


def batch():
    if sys.argv[2] == "drawn":
        return sample_moons(BATCH)
    return data[torch.randint(len(data), (BATCH,))]


def step():
    optimizer.zero_grad()
    x1 = batch()
    x0 = torch.randn_like(x1)
    t, xt, ut = matcher.sample_location_and_conditional_flow(x0, x1)
    vt = model(torch.cat([xt, t[:, None]], dim=-1))
    loss = torch.mean((vt - ut) ** 2)
    loss.backward()
    optimizer.step()
    return loss


print(torch.__version__, flush=True)
for line in sys.stdin:
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(int(line)):
        loss = step()
    print(time.perf_counter() - wall, time.process_time() - cpu, float(loss.detach()), flush=True)
