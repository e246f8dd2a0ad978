"""What stands behind each page, family by family, with its sources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from resviz.spec.dense import DenseSpec
from resviz.spec.families import Network
from resviz.spec.plane import PlaneSpec
from resviz.spec.transformer import TransformerSpec
from resviz.spec.unet import UNetSpec

__all__ = ["why_gradients", "why_it_is_built_so"]


def why_gradients(spec: Network) -> str:
    """What its skips do to the gradient."""
    return _GRADIENTS_OF.get(type(spec), _GRADIENTS)


def why_it_is_built_so(spec: Network) -> str:
    """What its skips join, and around what."""
    return _BUILT_OF.get(type(spec), _BUILT)


_GRADIENTS: Final = (
    r"With $y = x + F(x)$ the loss reaches $x$ as $\partial L/\partial y\,(1 + \partial F/\partial x)$, where a plain stack "
    r"multiplies $\partial F/\partial x$ once a block. A chain of ones it is without a ReLU after the addition only (He et al. "
    "2016, arXiv 1603.05027). What comes of it depends on the norm and the initialisation. Measured here, before training: batch "
    "norm makes deep plain networks explode towards the input, as Philipp et al. 2018 (arXiv 1712.05577) showed of fully connected ones; without a "
    "norm and with PyTorch's default initialisation they vanish; residual networks without a norm run away forwards with "
    "Kaiming's initialisation, where each block adds as much variance as passes it (De & Smith 2020, arXiv 2002.10444), and stay "
    "level with PyTorch's. None of this says why plain networks end up worse: He et al. 2015 (§4.1, arXiv 1512.03385) call "
    "vanishing gradients *unlikely* with batch norm, and our plain-56 is level in all 30 recorded epochs, with 30.7 % training error."
)
_GRADIENTS_TRANSFORMER: Final = (
    r"Each sub-layer adds to what it reads: $y = x + F(\mathrm{LN}(x))$ with pre-norm, $y = \mathrm{LN}(x + F(x))$ with post-norm, where every norm stands "
    "in the gradient's way; Xiong et al. 2020 (arXiv 2002.04745) trace the need of a warm-up to that. Attention makes every token a mean of all tokens' values. "
    "Without a skip the means of means become one and the same token, doubly exponentially in the bound of Dong et al. 2021 (arXiv 2103.03404), "
    "and what no longer differs sends nothing back to queries and keys. The plain network has the same weights, and passes $F$ alone."
)
_GRADIENTS_DENSE: Final = (
    r"With $y = [x, F(x)]$ the loss reaches $x$ twice: by $x$'s own part of $\partial L/\partial y$, which nothing stands before, and by that of "
    r"$F(x)$ times $\partial F/\partial x$. So every layer is read by all behind it in its block, which Huang et al. 2017 (§5, arXiv 1608.06993) "
    "call implicit deep supervision. Here that path is a sum too, of as many terms as there are readers; between two blocks a transition "
    "stands, and only through it. The plain network has the same layers and weights, and each reads zeros but for the layer before it."
)
_GRADIENTS_UNET: Final = (
    "A long skip carries what a level made on its way down straight to its way up: the loss reaches the first level by a way of few layers, and the "
    "middle by all of them. A short skip adds within each block, as in a ResNet. Drozdzal et al. 2016 (arXiv 1608.04117) train deep ones with both, one "
    "and none: with long skips alone the middle of their network hardly moves, with both every layer does. Their networks have 80 convolutions and more; "
    "what a small one does is measured here, before training, and step by step in the Lab. Cutting a long skip puts zeros in place of "
    "what came across it; weights and shapes stay."
)
_GRADIENTS_PLANE: Final = (
    r"With $y = x + F(x)$ the loss reaches $x$ as $\partial L/\partial y\,(1 + \partial F/\partial x)$, where a plain stack multiplies "
    r"$\partial F/\partial x$ once a block. PyTorch draws a linear layer's weights evenly from $\pm 1/\sqrt{n}$, $n$ being what it reads: a variance "
    r"of $1/3n$, where a ReLU's layer would need $2/n$ to hand on what it gets (He et al. 2015, arXiv 1502.01852, equation 10). So each plain layer "
    r"shrinks signal and gradient to about $1/\sqrt{6}$, but for the biases, and eighteen of them to about $10^{-7}$; a block with a skip adds as little and passes "
    "the rest. Choose Kaiming to see the plain network level. Measured here, before training: what comes of it is seen in the Lab."
)
_BUILT: Final = (
    r"A block learns what to *change*: with $H(x)$ the mapping it should make, its layers learn $F(x) = H(x) - x$ and the block "
    r"returns $y = F(x) + x$. Where the shape changes, the skip has to change with it: option A pads with zero channels, "
    "B projects by a 1×1 convolution there, C projects everywhere (He et al. 2015, §3.3, arXiv 1512.03385). A bottleneck "
    "squeezes the channels to a quarter for its 3×3 convolution, which is what makes 50 layers and more affordable."
)
_BUILT_DENSE: Final = (
    "A dense layer does not add to what it reads, it puts its $k$ channels beside it: layer $l$ computes $H_l([x_0, x_1, …, x_{l-1}])$ of "
    "everything made before it in its block (Huang et al. 2017, equation 2, arXiv 1608.06993). So it has $k_0 + k(l-1)$ channels to read, and few "
    "to make. B puts a 1×1 convolution to $4k$ channels before each 3×3 one, C lets a transition hand on $θ$ of its channels, half of them in the paper. "
    "Cutting an arc puts zeros in place of all that came before that layer, for every layer behind it; cutting one connection, under an "
    "opened layer, lets that layer alone read zeros in place of one source. Shapes and weights stay what they were."
)
_BUILT_TRANSFORMER: Final = (
    "A picture is cut into patches, or a sequence into symbols, each a token of $D$ numbers, and before them stands a class token, of which the classifier is asked "
    "(Dosovitskiy et al. 2021, arXiv 2010.11929). A layer has two sub-layers, each with a skip of its own: attention, by which tokens read "
    "each other, and the MLP, which takes each by itself. What they are added to runs from the first tokens to the classifier without "
    "a layer in between: with pre-norm nothing but additions stands on it, with post-norm (Vaswani et al. 2017, arXiv 1706.03762) a norm after each. "
    "Cutting an arc leaves that sub-layer's $F$ alone. Shapes and weights stay what they were."
)
_BUILT_PLANE: Final = (
    "Two numbers go in, a point's place or what the features make of it, and every layer after the first is as wide as the one before. A block is He et al.'s full "
    "pre-activation (2016, arXiv 1603.05027) with fully connected layers in place of the convolutions: $x + W_2\\,a(W_1\\,a(x))$, $a$ being the "
    "activation. Without its skip it is two layers of an ordinary MLP. So small a network can be seen whole: in the Lab every unit's own map of the plane "
    "moves while it learns, on the points of TensorFlow Playground (Smilkov et al. 2017, arXiv 1708.03788)."
)
_BUILT_UNET: Final = (
    "A U-Net answers for every pixel (Ronneberger et al. 2015, arXiv 1505.04597). On its way down each level halves the side and doubles the channels, so that the middle "
    "sees most of the picture and few of its places; on its way up each level doubles the side by a transposed convolution. A *long* skip puts what the level "
    "made on its way down beside what comes up, $[x, F(x)]$, where $F$ is everything below: it hands back the places. A *short* one adds around "
    "two convolutions, $x + F(x)$, as Drozdzal et al. 2016 (arXiv 1608.04117) add to it; without it a block is the paper's. Convolutions are padded, so that the answer is as "
    "large as the picture, where the paper's are not. Cutting a long skip puts zeros in place of what came across. Shapes and weights stay what they were."
)
_GRADIENTS_OF: Final[Mapping[type, str]] = {
    DenseSpec: _GRADIENTS_DENSE,
    TransformerSpec: _GRADIENTS_TRANSFORMER,
    PlaneSpec: _GRADIENTS_PLANE,
    UNetSpec: _GRADIENTS_UNET,
}
_BUILT_OF: Final[Mapping[type, str]] = {
    DenseSpec: _BUILT_DENSE,
    TransformerSpec: _BUILT_TRANSFORMER,
    PlaneSpec: _BUILT_PLANE,
    UNetSpec: _BUILT_UNET,
}
