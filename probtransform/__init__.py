"""Every deep generative model is a probability transformation."""

__all__ = ["check_transform"]


def __getattr__(name):
    if name == "check_transform":  # not before it is asked for: it imports jax
        from .conformance import check_transform

        return check_transform
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
