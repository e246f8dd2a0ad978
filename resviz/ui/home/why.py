"""The paper's argument, with what is argued about it, folded under Home's stage."""

from __future__ import annotations

import streamlit as st

from resviz.spec.presets import PRESETS
from resviz.ui.components import diagram
from resviz.ui.home import doors

__all__ = ["show"]


def show() -> None:
    """The problem, the idea, why it works and where it led."""
    with st.expander("Why"):
        _problem()
        _idea()
        why, led = st.columns(2, gap="large")
        with why:
            _why_it_works()
        with led:
            _where_it_led()
            doors.families()


def _problem() -> None:
    st.header("The problem", anchor=False)
    st.markdown(
        "A 56-layer plain network had a higher **training** error than a 20-layer one "
        "on CIFAR-10 ([He et al. 2015](https://arxiv.org/abs/1512.03385), figure 1). It is called degradation, and it is not "
        "overfitting: the deeper network contains the shallower one, if only its extra layers could learn to do nothing."
    )


def _idea() -> None:
    st.header("The idea", anchor=False)
    st.markdown(
        "Let the layers learn the **residual** F(x) = H(x) − x instead of the mapping H(x), and add x back: **y = F(x) + x**. "
        "An identity skip costs no parameters."
    )
    diagram.show_example("idea", PRESETS["resnet20"], 32, "layer1.0")


def _why_it_works() -> None:
    st.header("Why it works", anchor=False)
    st.markdown(
        "Argued, and not settled:\n"
        "- **The gradient has a way past F**: ∂y/∂x = ∂F/∂x + 1 at the addition ([He et al. 2016]"
        "(https://arxiv.org/abs/1603.05027)). The ReLU behind it breaks the chain of ones, which is why that paper moved it; and "
        "He et al. 2015 (§4.1) call vanishing gradients *unlikely* to be what ails plain networks with batch norm. "
        "[See what reaches each layer](gradients), and how it shatters with depth.\n"
        "- **The identity is at hand**: a block passes x on when F gives 0. With batch norm small weights do not do that, it "
        "scales them up again; its γ and β have to go to 0. [Race other shortcuts](shortcuts): gates, factors, none.\n"
        "- **A residual is easier to learn** than the whole mapping (He et al. 2015, §3.1). How much blocks add is "
        "measured: little in our ResNet-56, in most blocks of our ResNet-20 and ResNet-18 more than half of what passes by. "
        "[Look at the loss](landscape) that either has to go down.\n"
        "- **No block is needed alone**: a trained ResNet is many paths ([Veit et al. 2016](https://arxiv.org/abs/1605.06431)), or one estimate "
        "that each block refines ([Greff et al. 2017](https://arxiv.org/abs/1612.07771)). [Take one apart](anatomy) and see what is left.\n\n"
        "More depth without skips can be trained by other means, and the gain is not trainability alone "
        "([2025](https://arxiv.org/abs/2506.14386)). What the norm and the initialisation do to each point, the pages measure; "
        "`python -m resviz claims` sets each paper's number beside ours, where they differ too."
    )


def _where_it_led() -> None:
    st.header("Where it led", anchor=False)
    st.markdown(
        "- **152 layers** on ImageNet, and ILSVRC 2015, won with 3.57 % top-5 error by an ensemble of six; **1202 layers** on "
        "CIFAR-10 in the same paper, worse than 110 ([He et al. 2015](https://arxiv.org/abs/1512.03385)); **1001 layers**, "
        "better than 110, a year later ([He et al. 2016](https://arxiv.org/abs/1603.05027)).\n"
        "- Skips that add in the **Transformer** ([2017](https://arxiv.org/abs/1706.03762)), that concatenate in **DenseNet** "
        "([2016](https://arxiv.org/abs/1608.06993)). Before it came skips with gates, **Highway networks** "
        "([May 2015](https://arxiv.org/abs/1505.00387)), and **U-Net**'s, which concatenate "
        "([May 2015](https://arxiv.org/abs/1505.04597)).\n"
        "- **Transfer learning**: pretrained ResNets as the start of detection, segmentation and much else."
    )
