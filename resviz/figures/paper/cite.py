"""What to cite: the papers that a page is about, and ResViz itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["bibtex"]

_HE: Final = """@inproceedings{he2016deep,
  title = {Deep Residual Learning for Image Recognition},
  author = {He, Kaiming and Zhang, Xiangyu and Ren, Shaoqing and Sun, Jian},
  booktitle = {Proceedings of the IEEE Conference on Computer Vision and Pattern Recognition},
  pages = {770--778},
  year = {2016},
  eprint = {1512.03385},
  archivePrefix = {arXiv}
}"""
_IDENTITY: Final = """@inproceedings{he2016identity,
  title = {Identity Mappings in Deep Residual Networks},
  author = {He, Kaiming and Zhang, Xiangyu and Ren, Shaoqing and Sun, Jian},
  booktitle = {European Conference on Computer Vision},
  pages = {630--645},
  year = {2016},
  eprint = {1603.05027},
  archivePrefix = {arXiv}
}"""
_VEIT: Final = """@inproceedings{veit2016residual,
  title = {Residual Networks Behave Like Ensembles of Relatively Shallow Networks},
  author = {Veit, Andreas and Wilber, Michael and Belongie, Serge},
  booktitle = {Advances in Neural Information Processing Systems},
  volume = {29},
  year = {2016},
  eprint = {1605.06431},
  archivePrefix = {arXiv}
}"""
_LI: Final = """@inproceedings{li2018visualizing,
  title = {Visualizing the Loss Landscape of Neural Nets},
  author = {Li, Hao and Xu, Zheng and Taylor, Gavin and Studer, Christoph and Goldstein, Tom},
  booktitle = {Advances in Neural Information Processing Systems},
  volume = {31},
  year = {2018},
  eprint = {1712.09913},
  archivePrefix = {arXiv}
}"""
_CAPTUM: Final = """@misc{kokhlikyan2020captum,
  title = {Captum: A unified and generic model interpretability library for {PyTorch}},
  author = {Kokhlikyan, Narine and Miglani, Vivek and Martin, Miguel and Wang, Edward and Alsallakh, Bilal and Reynolds, Jonathan and Melnikov, Alexander and Kliushkina, Natalia and Araya, Carlos and Yan, Siqi and Reblitz-Richardson, Orion},
  year = {2020},
  eprint = {2009.07896},
  archivePrefix = {arXiv}
}"""
_MORE: Final[Mapping[str, str]] = {"Anatomy": _VEIT, "Landscape": _LI, "Shortcuts": _IDENTITY, "Explain": _CAPTUM}


def bibtex(page: str, version: str, year: int) -> str:
    """He et al., the paper that the page repeats where that is another one, and this version of ResViz, as BibTeX."""
    software = f"""@software{{resviz,
  title = {{ResViz: residual networks you can take apart}},
  version = {{{version}}},
  year = {{{year}}}
}}"""
    return "\n\n".join([_HE, *([_MORE[page]] if page in _MORE else []), software])
