"""The registry: one function from an `Event` to a `Model` a family, a line each."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from . import (
    aae,
    aavae,
    autoencoder,
    autoregressive,
    beta_tcvae,
    beta_vae,
    bigan,
    biggan,
    bridge_matching,
    cnf,
    consistency,
    dbm,
    dbn,
    dcgan,
    ddpm,
    denoising_autoencoder,
    dip_vae,
    discrete_diffusion,
    discrete_flow,
    ebm,
    edm,
    factor_vae,
    flow_matching,
    flow_prior_vae,
    fsq_vae,
    gan,
    gaussian,
    gaussian_rbm,
    glow,
    hierarchical_vae,
    iaf,
    infogan,
    iwae,
    iwgan,
    jem,
    jet,
    latent_diffusion,
    ls_gan,
    maf,
    mean_flow,
    nce,
    ncsn,
    ot_flow_matching,
    pixelcnn,
    pixelcnn_pp,
    r3gan,
    rae,
    rbm,
    realnvp,
    rectified_flow,
    residual_flow,
    riemannian_flow,
    schroedinger_bridge,
    score_ebm,
    score_sde,
    semi_supervised_vae,
    sn_gan,
    spline_autoregressive,
    spline_coupling,
    stochastic_interpolant,
    stylegan2,
    tarflow,
    transformer,
    vae,
    vae_gan,
    vamp_vae,
    vdm,
    vq_vae,
    wae,
    wake_sleep,
    wgan_gp,
)


class Family(NamedTuple):
    """build: `(Event, **numbers) -> Model`.  preset: `Event -> {number: value}` for training.
    tiny: `() -> (Model, Batch)`, small enough for every test.
    samples: importance weights that an evaluation of its bound can afford."""

    build: Callable
    preset: Callable
    tiny: Callable
    samples: int = 64


registry: dict[str, Family] = {
    "gaussian": Family(gaussian.gaussian, gaussian.preset, gaussian.tiny),
    "gaussian_rbm": Family(gaussian_rbm.gaussian_rbm, gaussian_rbm.preset, gaussian_rbm.tiny),
    "rbm": Family(rbm.rbm, rbm.preset, rbm.tiny),
    "dbm": Family(dbm.dbm, dbm.preset, dbm.tiny),
    "dbn": Family(dbn.dbn, dbn.preset, dbn.tiny),
    "ebm": Family(ebm.ebm, ebm.preset, ebm.tiny),
    "jem": Family(jem.jem, jem.preset, jem.tiny),
    "nce": Family(nce.nce, nce.preset, nce.tiny),
    "score_ebm": Family(score_ebm.score_ebm, score_ebm.preset, score_ebm.tiny),
    "vae": Family(vae.vae, vae.preset, vae.tiny),
    "vamp_vae": Family(vamp_vae.vamp_vae, vamp_vae.preset, vamp_vae.tiny),
    "flow_prior_vae": Family(
        flow_prior_vae.flow_prior_vae, flow_prior_vae.preset, flow_prior_vae.tiny
    ),
    "hierarchical_vae": Family(
        hierarchical_vae.hierarchical_vae, hierarchical_vae.preset, hierarchical_vae.tiny
    ),
    "semi_supervised_vae": Family(
        semi_supervised_vae.semi_supervised_vae,
        semi_supervised_vae.preset,
        semi_supervised_vae.tiny,
    ),
    "vq_vae": Family(vq_vae.vq_vae, vq_vae.preset, vq_vae.tiny),
    "fsq_vae": Family(fsq_vae.fsq_vae, fsq_vae.preset, fsq_vae.tiny),
    "beta_vae": Family(beta_vae.beta_vae, beta_vae.preset, beta_vae.tiny),
    "beta_tcvae": Family(beta_tcvae.beta_tcvae, beta_tcvae.preset, beta_tcvae.tiny),
    "factor_vae": Family(factor_vae.factor_vae, factor_vae.preset, factor_vae.tiny),
    "dip_vae": Family(dip_vae.dip_vae, dip_vae.preset, dip_vae.tiny),
    "autoencoder": Family(autoencoder.autoencoder, autoencoder.preset, autoencoder.tiny),
    "denoising_autoencoder": Family(
        denoising_autoencoder.denoising_autoencoder,
        denoising_autoencoder.preset,
        denoising_autoencoder.tiny,
    ),
    "rae": Family(rae.rae, rae.preset, rae.tiny),
    "wae": Family(wae.wae, wae.preset, wae.tiny),
    "iwae": Family(iwae.iwae, iwae.preset, iwae.tiny),
    "realnvp": Family(realnvp.realnvp, realnvp.preset, realnvp.tiny),
    "maf": Family(maf.maf, maf.preset, maf.tiny),
    "iaf": Family(iaf.iaf, iaf.preset, iaf.tiny),
    "spline_coupling": Family(
        spline_coupling.spline_coupling, spline_coupling.preset, spline_coupling.tiny
    ),
    "spline_autoregressive": Family(
        spline_autoregressive.spline_autoregressive,
        spline_autoregressive.preset,
        spline_autoregressive.tiny,
    ),
    "glow": Family(glow.glow, glow.preset, glow.tiny),
    "jet": Family(jet.jet, jet.preset, jet.tiny),
    "tarflow": Family(tarflow.tarflow, tarflow.preset, tarflow.tiny),
    "residual_flow": Family(residual_flow.residual_flow, residual_flow.preset, residual_flow.tiny),
    "cnf": Family(cnf.cnf, cnf.preset, cnf.tiny, samples=1),
    "autoregressive": Family(
        autoregressive.autoregressive, autoregressive.preset, autoregressive.tiny
    ),
    "pixelcnn": Family(pixelcnn.pixelcnn, pixelcnn.preset, pixelcnn.tiny),
    "pixelcnn_pp": Family(pixelcnn_pp.pixelcnn_pp, pixelcnn_pp.preset, pixelcnn_pp.tiny),
    "transformer": Family(transformer.transformer, transformer.preset, transformer.tiny),
    "gan": Family(gan.gan, gan.preset, gan.tiny),
    "ls_gan": Family(ls_gan.ls_gan, ls_gan.preset, ls_gan.tiny),
    "sn_gan": Family(sn_gan.sn_gan, sn_gan.preset, sn_gan.tiny),
    "wgan_gp": Family(wgan_gp.wgan_gp, wgan_gp.preset, wgan_gp.tiny),
    "dcgan": Family(dcgan.dcgan, dcgan.preset, dcgan.tiny),
    "r3gan": Family(r3gan.r3gan, r3gan.preset, r3gan.tiny),
    "stylegan2": Family(stylegan2.stylegan2, stylegan2.preset, stylegan2.tiny),
    "biggan": Family(biggan.biggan, biggan.preset, biggan.tiny),
    "iwgan": Family(iwgan.iwgan, iwgan.preset, iwgan.tiny),
    "infogan": Family(infogan.infogan, infogan.preset, infogan.tiny),
    "bigan": Family(bigan.bigan, bigan.preset, bigan.tiny),
    "vae_gan": Family(vae_gan.vae_gan, vae_gan.preset, vae_gan.tiny),
    "aae": Family(aae.aae, aae.preset, aae.tiny),
    "aavae": Family(aavae.aavae, aavae.preset, aavae.tiny),
    "wake_sleep": Family(wake_sleep.wake_sleep, wake_sleep.preset, wake_sleep.tiny),
    "flow_matching": Family(
        flow_matching.flow_matching, flow_matching.preset, flow_matching.tiny, samples=1
    ),
    "ot_flow_matching": Family(
        ot_flow_matching.ot_flow_matching, ot_flow_matching.preset, ot_flow_matching.tiny, samples=1
    ),
    "rectified_flow": Family(
        rectified_flow.rectified_flow, rectified_flow.preset, rectified_flow.tiny, samples=1
    ),
    "stochastic_interpolant": Family(
        stochastic_interpolant.stochastic_interpolant,
        stochastic_interpolant.preset,
        stochastic_interpolant.tiny,
        samples=1,
    ),
    "schroedinger_bridge": Family(
        schroedinger_bridge.schroedinger_bridge,
        schroedinger_bridge.preset,
        schroedinger_bridge.tiny,
        samples=1,
    ),
    "bridge_matching": Family(
        bridge_matching.bridge_matching, bridge_matching.preset, bridge_matching.tiny
    ),
    "riemannian_flow": Family(
        riemannian_flow.riemannian_flow, riemannian_flow.preset, riemannian_flow.tiny, samples=1
    ),
    "ddpm": Family(ddpm.ddpm, ddpm.preset, ddpm.tiny, samples=1),
    "ncsn": Family(ncsn.ncsn, ncsn.preset, ncsn.tiny),
    "vp_sde": Family(score_sde.vp_sde, score_sde.preset, score_sde.tiny, samples=1),
    "ve_sde": Family(score_sde.ve_sde, score_sde.preset, score_sde.tiny_ve, samples=1),
    "sub_vp_sde": Family(score_sde.sub_vp_sde, score_sde.preset, score_sde.tiny_sub_vp, samples=1),
    "vdm": Family(vdm.vdm, vdm.preset, vdm.tiny, samples=1),
    "edm": Family(edm.edm, edm.preset, edm.tiny, samples=1),
    "latent_diffusion": Family(
        latent_diffusion.latent_diffusion, latent_diffusion.preset, latent_diffusion.tiny, samples=8
    ),
    "discrete_diffusion": Family(
        discrete_diffusion.discrete_diffusion,
        discrete_diffusion.preset,
        discrete_diffusion.tiny,
        samples=8,
    ),
    "discrete_flow": Family(
        discrete_flow.discrete_flow, discrete_flow.preset, discrete_flow.tiny, samples=8
    ),
    "consistency": Family(consistency.consistency, consistency.preset, consistency.tiny),
    "mean_flow": Family(mean_flow.mean_flow, mean_flow.preset, mean_flow.tiny),
}
