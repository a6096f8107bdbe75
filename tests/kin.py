"""Families that differ from another in a part that has tests of its own: much is asked of them when slow."""

import pytest

from probtransform.families import registry

KIN = {"iaf", "spline_autoregressive", "pixelcnn_pp", "glow", "jet", "tarflow"}
KIN |= {"ot_flow_matching", "ve_sde", "sub_vp_sde", "edm", "ddpm", "ncsn", "latent_diffusion"}
KIN |= {"schroedinger_bridge", "discrete_flow", "bridge_matching", "consistency"}
KIN |= {"iwae", "beta_vae", "beta_tcvae", "dip_vae", "vamp_vae", "flow_prior_vae", "fsq_vae"}
KIN |= {
    "denoising_autoencoder",
    "rae",
    "wae",
    "ls_gan",
    "sn_gan",
    "wgan_gp",
    "dcgan",
    "r3gan",
    "biggan",
}
KIN |= {"iwgan", "infogan", "aae", "vae_gan", "wake_sleep", "stylegan2", "factor_vae"}
KIN |= {
    "rectified_flow",
    "stochastic_interpolant",
    "cnf",
    "aavae",
    "bigan",
    "transformer",
    "gaussian_rbm",
    "ebm",
    "jem",
    "dbm",
    "dbn",
}
KIN |= {"nce", "score_ebm"}
ONE_OF_A_KIND = [pytest.param(n, marks=pytest.mark.slow) if n in KIN else n for n in registry]

# one of each way that leads to levels
ON_LEVELS = {"gaussian", "vae", "vq_vae", "realnvp", "autoregressive", "discrete_diffusion", "rbm"}
TO_LEVELS = [n if n in ON_LEVELS else pytest.param(n, marks=pytest.mark.slow) for n in registry]
