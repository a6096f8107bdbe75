"""Network bodies: no probability here."""

from .attention import SelfAttention
from .causal import causal
from .causal_transformer import causal_transformer, token_transformer
from .conv import Residual, convnet
from .convolution import Conv
from .dit import dit
from .encoder import encoder
from .linear import Linear
from .made import made
from .mlp import mlp
from .norm import GroupNorm
from .spectral import spectral
from .unet import unet
from .waves import waves

__all__ = [
    "Conv",
    "GroupNorm",
    "Linear",
    "Residual",
    "SelfAttention",
    "causal",
    "causal_transformer",
    "convnet",
    "dit",
    "encoder",
    "made",
    "mlp",
    "spectral",
    "token_transformer",
    "unet",
    "waves",
]
