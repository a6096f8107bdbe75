"""Inception v3 here is that of FID: torch-fidelity's, with random weights, at every place it is tapped."""

import importlib.util
import sys
from types import ModuleType

import jax
import numpy as np
import pytest
from safetensors.numpy import save_file

from probtransform.features import inception, inception_v3


def of_torch_fidelity(module):
    """One module of torch-fidelity alone: the whole package would want torchvision too."""
    pytest.importorskip("torch")
    spec = importlib.util.find_spec("torch_fidelity")
    if spec is None:
        pytest.skip("could not find torch_fidelity")
    package = ModuleType("torch_fidelity")
    package.__path__ = list(spec.submodule_search_locations)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "torch_fidelity", package)
        return importlib.import_module(f"torch_fidelity.{module}")


@pytest.fixture(scope="module")
def reference():
    """torch-fidelity's network, its weights drawn instead of downloaded, and batch statistics as well."""
    theirs = of_torch_fidelity("feature_extractor_inceptionv3")
    import torch

    extractor = theirs.FeatureExtractorInceptionV3
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(theirs, "load_state_dict_from_url", lambda *args, **options: {})
        patch.setattr(extractor, "load_state_dict", lambda self, tensors: None)
        torch.manual_seed(0)
        model = extractor("random", ["64", "192", "768", "2048", "logits_unbiased", "logits"])
    for name, buffer in model.named_buffers():
        if name.endswith("running_mean"):
            buffer.normal_(0, 0.1)
        elif name.endswith("running_var"):
            buffer.uniform_(0.3, 1.0).mul_(0.3)  # so that activations keep their size
    return model


@pytest.fixture(scope="module")
def weights(reference, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "inception.safetensors"
    tensors = {k: v.numpy() for k, v in reference.state_dict().items() if v.ndim}
    save_file(tensors, path)
    return path


@pytest.mark.peers
def test_every_tap_is_that_of_torch_fidelity(reference, weights):
    import torch

    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    outputs = reference(torch.from_numpy(pixels).permute(2, 0, 1)[None])
    theirs = dict(zip(reference.features_list, outputs, strict=True))
    extractor = inception_v3(weights)
    assert extractor.name == "FD-InceptionV3"

    def both(params, image):
        features, logits = extractor.apply(params, image)
        seen = inception.taps(params, image)
        return {**seen, "features": features, "logits_unbiased": logits}

    ours = jax.jit(both)(extractor.params, (pixels / 127.5 - 1).astype(np.float32))
    np.testing.assert_array_equal(ours.pop("features"), ours["2048"])
    assert ours.keys() == theirs.keys() - {"logits"}
    for name, mine in ours.items():
        its = theirs[name][0].numpy()
        assert its.std() > 1e-2  # something is to be compared
        np.testing.assert_allclose(mine, its, atol=1e-4, rtol=1e-4)


@pytest.mark.peers
@pytest.mark.parametrize("shape", [(8, 11, 3), (400, 299, 1)])
def test_images_are_resized_as_tensorflow_1_did(shape):
    theirs = of_torch_fidelity("interpolate_compat_tensorflow")
    import torch

    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    its = theirs.interpolate_bilinear_2d_like_tensorflow1x(
        torch.from_numpy(x).permute(2, 0, 1)[None], size=(299, 299), align_corners=False
    )
    np.testing.assert_allclose(inception.resized(x), its[0].permute(1, 2, 0), atol=2e-5)


def test_another_network_is_refused(tmp_path):
    path = tmp_path / "some.safetensors"
    with pytest.raises(ValueError, match=r"which cannot be read .*wanted a safetensors file"):
        inception_v3(path)
    save_file({"fc.weight": np.zeros((1000, 2048), np.float32)}, path)
    with pytest.raises(ValueError, match=r"shape \(1000, 2048\), wanted \(1008, 2048\)"):
        inception_v3(path)
    save_file({"fc.weight": np.zeros((1008, 2048), np.float32)}, path)
    with pytest.raises(
        ValueError, match=r"without 'Conv2d_1a_3x3\.conv\.weight', wanted the tensors"
    ):
        inception_v3(path)
