"""Pages wait for these on a fresh server; the tests ask what they show afterwards."""

import torchvision.models  # noqa: F401 - imported to be there

import resviz.attribution.question  # noqa: F401
