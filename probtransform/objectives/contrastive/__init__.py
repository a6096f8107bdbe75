"""Contrast between pairs: encoders that know what belongs together, and what two sides know of each other."""

from . import changes, information
from .critics import cosine, two_sides
from .estimate import mine, mutual_information, remembered
from .information import donsker_varadhan, info_nce, nce, nwj, smile
from .momentum import moco, queue_of
from .nt_xent import nt_xent
from .sides import clip_loss, siglip_loss
from .sup_con import sup_con
from .views import between_sides, between_views

__all__ = [
    "between_sides",
    "between_views",
    "changes",
    "clip_loss",
    "cosine",
    "donsker_varadhan",
    "info_nce",
    "information",
    "mine",
    "moco",
    "mutual_information",
    "nce",
    "nt_xent",
    "nwj",
    "queue_of",
    "remembered",
    "siglip_loss",
    "smile",
    "sup_con",
    "two_sides",
]
