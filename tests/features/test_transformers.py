"""The vision transformers here are those of transformers, block by block, from the files it writes."""

import jax
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from probtransform.features import clip, clip_vision, dino, dinov2, features_of, layers


def randomised(model):
    """Every parameter away from its zeros and ones."""
    import torch

    torch.manual_seed(0)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.2 * torch.randn_like(p))
    return model.eval()


def saved(model, folder):
    model.save_pretrained(folder)
    return folder / "model.safetensors"


def clip_reference(activation="quick_gelu"):
    pytest.importorskip("torch")
    peer = pytest.importorskip("transformers")
    config = peer.CLIPVisionConfig(
        hidden_size=24,
        intermediate_size=40,
        num_hidden_layers=3,
        num_attention_heads=4,
        image_size=32,
        patch_size=8,
        projection_dim=10,
        hidden_act=activation,
    )
    return randomised(peer.CLIPVisionModelWithProjection(config))


def dino_reference(swiglu=False):
    pytest.importorskip("torch")
    peer = pytest.importorskip("transformers")
    config = peer.Dinov2Config(
        hidden_size=24,
        mlp_ratio=2,
        num_hidden_layers=3,
        num_attention_heads=4,
        image_size=42,
        patch_size=7,
        use_swiglu_ffn=swiglu,
    )
    return randomised(peer.Dinov2Model(config))


def pixels(side, seed=0):
    return np.random.default_rng(seed).normal(size=(side, side, 3)).astype(np.float32)


def run(model, x):
    import torch

    with torch.no_grad():
        return model(torch.from_numpy(x).permute(2, 0, 1)[None], output_hidden_states=True)


def agree(ours, theirs):
    for mine, its in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, its[0], atol=1e-4)


@pytest.mark.peers
@pytest.mark.parametrize("activation", ["quick_gelu", "gelu"])
def test_clip_agrees_block_by_block(tmp_path, activation):
    model = clip_reference(activation)
    fn = {"quick_gelu": clip.quick_gelu, "gelu": clip.exact_gelu}[activation]
    extractor = clip_vision(saved(model, tmp_path), heads=4, activation=fn)
    x = pixels(32)
    theirs = run(model, x)
    agree(clip.hidden_states(extractor.params, x, 4, fn), theirs.hidden_states)
    image = np.tanh(pixels(32, 1))
    mean, deviation = clip.MEAN, clip.DEVIATION
    theirs = run(model, (((image + 1) / 2 - mean) / deviation).astype(np.float32))
    features, logits = features_of(extractor, image[None])
    assert logits is None and features.shape == (1, 10)
    np.testing.assert_allclose(features, theirs.image_embeds, atol=1e-4)


@pytest.mark.peers
@pytest.mark.parametrize("swiglu", [False, True])
@pytest.mark.parametrize("side", [42, 28, 63])
def test_dino_agrees_block_by_block_at_any_size(tmp_path, swiglu, side):
    model = dino_reference(swiglu)
    extractor = dino(saved(model, tmp_path), heads=4, size=side)
    x = pixels(side)
    agree(dinov2.hidden_states(extractor.params, x, 4), run(model, x).hidden_states)
    image = np.tanh(pixels(side, 1))
    theirs = run(model, (((image + 1) / 2 - dinov2.MEAN) / dinov2.DEVIATION).astype(np.float32))
    features, logits = features_of(extractor, image[None])
    assert logits is None and features.shape == (1, 24)
    np.testing.assert_allclose(features, theirs.pooler_output, atol=1e-4)


@pytest.mark.peers
def test_the_numbers_of_the_images_are_those_of_transformers():
    pytest.importorskip("torch")
    constants = pytest.importorskip("transformers.image_utils")
    np.testing.assert_allclose(clip.MEAN, constants.OPENAI_CLIP_MEAN, rtol=1e-6)
    np.testing.assert_allclose(clip.DEVIATION, constants.OPENAI_CLIP_STD, rtol=1e-6)
    np.testing.assert_allclose(dinov2.MEAN, constants.IMAGENET_DEFAULT_MEAN, rtol=1e-6)
    np.testing.assert_allclose(dinov2.DEVIATION, constants.IMAGENET_DEFAULT_STD, rtol=1e-6)


@pytest.mark.peers
@pytest.mark.parametrize("load, reference", [(clip_vision, clip_reference), (dino, dino_reference)])
def test_weights_of_another_network_are_refused(tmp_path, load, reference):
    path = saved(reference(), tmp_path)
    tensors = load_file(path)
    name = next(n for n in tensors if n.endswith("mlp.fc1.weight"))
    save_file({n: t for n, t in tensors.items() if n != name}, path)
    with pytest.raises(ValueError, match=f"without '{name}', wanted the tensors of transformers"):
        load(path, heads=4)
    save_file(tensors | {name: tensors[name][:, 1:]}, path)
    with pytest.raises(ValueError, match="whose shapes do not fit each other"):
        load(path, heads=4)


def test_cubic_convolution_keeps_constants_and_what_has_its_size():
    for old, new in [(5, 9), (9, 5), (37, 16)]:
        np.testing.assert_allclose(dinov2.bicubic(old, new).sum(1), 1, atol=1e-6)
    np.testing.assert_allclose(dinov2.bicubic(6, 6), np.eye(6), atol=1e-6)


def test_attention_of_one_head_is_its_formula():
    rng = np.random.default_rng(0)
    maps = {n: rng.normal(size=(6, 6)).astype(np.float32) for n in "qkvo"}
    params = {f"{n}.weight": w for n, w in maps.items()}
    x = rng.normal(size=(5, 6)).astype(np.float32)
    q, k, v = (x @ maps[n].T for n in "qkv")
    expected = jax.nn.softmax(q @ k.T / np.sqrt(6)) @ v @ maps["o"].T
    np.testing.assert_allclose(layers.attention(params, list("qkvo"), x, 1), expected, atol=1e-5)
