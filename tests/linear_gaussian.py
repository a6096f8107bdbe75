"""Factor analysis: a VAE with linear networks, every law of which is a known normal.

`z ~ N(0, I)`, `x = mean + W z + noise * e`, with orthogonal columns of W so that the posterior
has independent entries: `N(V^-1 W^T (x - mean) / noise^2, V^-1)`, `V = I + W^T W / noise^2`.
"""

import jax
import jax.numpy as jnp
import numpy as np
from scipy.stats import multivariate_normal

from probtransform.core import Network, pushforward
from probtransform.distributions import gaussian, normal
from probtransform.transforms import decoder

D, C, NOISE = 3, 2, 0.5
W = np.array([[1.0, 0.4], [0.5, -0.8], [0.0, 0.3]])
MEAN = np.array([0.2, -0.1, 0.4])
assert abs(W[:, 0] @ W[:, 1]) < 1e-12


def marginal():
    return multivariate_normal(MEAN, W @ W.T + NOISE**2 * np.eye(D))


def factor_analysis(spread: float):
    """`(distribution, params)`, the encoder's scale `spread` times the posterior's."""
    precision = np.diag(np.eye(C) + W.T @ W / NOISE**2)
    back = (W / precision / NOISE**2).T
    log_scale = np.log(spread / np.sqrt(precision))

    def decode(params, z, cond):
        return jnp.concatenate([params["mean"] + params["W"] @ z, jnp.full(D, np.log(NOISE))])

    def encode(params, x, cond):
        return jnp.concatenate([params["back"] @ (x - MEAN), params["log_scale"]])

    def fixed(**params):
        return lambda key: {name: jnp.asarray(p, jnp.float32) for name, p in params.items()}

    step = decoder(
        Network(fixed(mean=MEAN, W=W), decode),
        Network(fixed(back=back, log_scale=log_scale), encode),
        gaussian((D,)),
    )
    distribution = pushforward(normal((C,)), decoder=step)
    return distribution, distribution.init(jax.random.key(0))
