"""An explanation as one HTML file, and the table of what its maps are worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from PIL import Image

from resviz.figures import captions
from resviz.figures.faithfulness import faithfulness_curves, sanity_lines
from resviz.figures.overlay import Look, overlay_image
from resviz.figures.reports import html
from resviz.figures.theme import number
from resviz.results import Attribution, Faithfulness, Prediction, Scope

__all__ = ["explanation_report", "trust_table"]


def trust_table(titled: Mapping[str, Faithfulness]) -> pd.DataFrame:
    """The methods, best first."""
    rows = [
        {
            "method": title,
            "mean rank": f"{rank:.2f}",
            "deletion AUC ↓": f"{found.deletion_auc:.3f}",
            "insertion AUC ↑": f"{found.insertion_auc:.3f}",
            "infidelity ↓": number(found.infidelity),
            "max sensitivity ↓": number(found.sensitivity),
            "likeness, shuffled": number(float(found.similarity[-1]))
            + (" (ignores them)" if found.ignores_weights else " (turned round)" if found.turned_round else ""),
        }
        for title, found, rank in captions.ranking(titled)
    ]
    return pd.DataFrame(rows)


def explanation_report(
    about: str,
    prediction: Prediction,
    scope: Scope | None,
    asked: str,
    seen: Image.Image,
    window: Image.Image,
    maps: Mapping[str, Attribution],
    look: Look,
    rows: Sequence[Sequence[str]],
    measured: Mapping[str, Faithfulness],
    code: Sequence[str],
) -> str:
    """Self-contained HTML; `rows` are each map's method, parameters, paper and check, `code` the Python that makes them again."""
    ranked = html.table(["class", "probability"], [(name, f"{100 * p:.2f} %") for name, p in prediction.top(5)])
    shown = html.picture(seen, "As the network sees it")
    given = "".join(html.picture(overlay_image(window, found, look), f"{title} for {asked}") for title, found in maps.items())
    table = html.table(["method", "parameters", "paper", "check"], rows)
    sections: list[html.Section] = [
        ("What it says", html.paragraphs([captions.prediction_note(prediction, scope)]) + shown + ranked, ()),
        (f"Evidence for {asked}", given + table, ()),
    ]
    if measured:
        judged = trust_table(measured)
        text = html.table(list(judged.columns), judged.values.tolist())
        notes = html.paragraphs([captions.trust_note(title, found) for title, found in measured.items()])
        curves = [faithfulness_curves(measured, False), faithfulness_curves(measured, True)]
        sections.append(("Can it be trusted?", text + notes, [*curves, sanity_lines(measured)]))
    given_code = "".join(f"<pre><code>{html.escape(text)}</code></pre>" for text in code if text)
    if given_code:
        sections.append(("The same in Python: Captum computes it, this project loads the network", given_code, ()))
    return html.document("Which pixels decided?", html.paragraphs([about]), sections)
