"""The Explain page's views: methods side by side, the depth, a changed network, a block's two paths, and what can be trusted."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from PIL import Image

from resviz.attribution.batch import explain_all
from resviz.attribution.methods import METHODS
from resviz.attribution.metrics import faithfulness
from resviz.attribution.residual import grad_cam_by_block, two_paths
from resviz.attribution.run import attribute
from resviz.attribution.snippet import snippet
from resviz.figures import attribution as pictures
from resviz.figures import report, words
from resviz.figures.gallery import Gallery
from resviz.figures.theme import number
from resviz.results import Attribution, Faithfulness, Prediction
from resviz.sets import unzip
from resviz.ui import jobs
from resviz.ui.charts import chart
from resviz.ui.inputs import digest

__all__ = ["VIEWS", "Studio"]

Given = Mapping[str, Any]
_SHOWN = 16  # maps in the page's gallery


@dataclass(frozen=True)
class Studio:
    """What is asked of one photograph, and how the answers are drawn. `options` are each method's parameters."""

    classifier: Any
    network: str
    about: str
    load: str
    photograph: str
    image: Image.Image
    window: Image.Image
    prediction: Prediction
    target: int
    against: int | None
    methods: Sequence[str]
    options: Mapping[str, Given]
    look: pictures.Look

    @property
    def asked(self) -> str:
        names = self.classifier.categories
        return names[self.target] + ("" if self.against is None else f" rather than {names[self.against]}")

    @property
    def question(self) -> tuple[Any, ...]:
        return self.network, self.photograph, self.target, self.against

    def key(self, method: str) -> tuple[Any, ...]:
        return "attribution", *self.question, method, tuple(sorted(self.options[method].items()))

    def wanted(self, method: str, slot: str = "map") -> tuple[str, Any, str, Any]:
        return (
            f"{slot}.{method}",
            self.key(method),
            METHODS[method].title,
            lambda tick: attribute(self.classifier, self.image, method, self.target, self.options[method], tick, self.against),
        )

    def found(self) -> dict[str, Attribution]:
        """The maps that are there."""
        maps = {method: jobs.manager().remembered(self.key(method)) for method in self.methods}
        return {method: found for method, found in maps.items() if found is not None}

    # ---------------------------------------------------------------------------------------- views

    def compare(self) -> None:
        """Every chosen method's map, and the files they make."""
        if not self.methods:
            st.info("Choose a method to see which pixels speak for the class.")
            return
        across = 2 if len(self.methods) in (2, 4) else 3
        places = [place for start in range(0, len(self.methods), across) for place in st.columns(across)][: len(self.methods)]
        for place, method in zip(places, self.methods, strict=True):
            place.markdown(
                f"**{METHODS[method].title}** for *{self.asked}*",
                help=f"{METHODS[method].answers} It assumes: {METHODS[method].assumes} ({METHODS[method].paper})",
            )
        slots = [place.container(key=f"reserve-{method}") for place, method in zip(places, self.methods, strict=True)]
        results = jobs.results_of([self.wanted(m) for m in self.methods], slots, self.coarse)
        for slot, place, method, found in zip(slots, places, self.methods, results, strict=True):
            if found is None:
                continue
            with slot:
                self.draw(found, f"map-{method}", f"{METHODS[method].title}: evidence for {self.asked} laid over the photograph")
            with place:
                st.caption(words.attribution_note(found.delta, found.target_change) or words.focus_note(found))
                self.files(method, found)
        maps = self.found()
        if len(maps) == len(self.methods):
            if st.toggle("All in one figure, with one zoom and one pan", key="together.on"):
                titled = {METHODS[method].title: found for method, found in maps.items()}
                figure = pictures.maps_together(self.window, titled, self.look)
                chart(figure, "together", f"The photograph and the evidence for {self.asked} by each method")
            st.download_button(
                "Report (HTML)", self.report, "explanation.html", "text/html", on_click="ignore", icon=":material/description:",
                help="The pictures, the parameters and what was measured, in one file that opens anywhere.",
            )  # fmt: skip

    def depth(self) -> None:
        """Grad-CAM at every block."""
        maps = jobs.result_of(
            "depth", ("depth", *self.question), "Grad-CAM at every block",
            lambda tick: grad_cam_by_block(self.classifier, self.image, self.target, self.against, tick),
        )  # fmt: skip
        if maps is None:
            return
        st.markdown(f"**Where the evidence for *{self.asked}* forms**: Layer Grad-CAM, block by block")
        figure = pictures.maps_together(self.window, {found.layer: found for found in maps}, self.look, across=5)
        chart(figure, "depth", f"Layer Grad-CAM for {self.asked} at each of {len(maps)} blocks")
        best = max(maps, key=lambda found: float(np.clip(found.values, 0, None).sum() / (np.abs(found.values).sum() or 1.0)))
        st.caption(f"The share of evidence that speaks *for* the class is largest at `{best.layer}`. Each map has its own scale.")

    def change(self) -> None:
        """The same question to the network with one skip cut or one branch dropped."""
        from resviz.zoo.classifier import predict

        spec, left, right = self.classifier.spec, *st.columns(2)
        block = left.selectbox("Block", list(spec.block_names()), index=1, key=f"change.block.{self.network}")
        kind = right.segmented_control(
            "Change", ["Cut its skip", "Drop its branch"], default="Cut its skip", required=True, key="change.kind",
            help="A cut block passes only F(x), a dropped one only x.",
        )  # fmt: skip
        field = "cut" if kind == "Cut its skip" else "dropped"
        if not spec.residual:
            st.info("A plain network has no skip to cut; choose a residual one under Network.")
            return
        changed = replace(spec, **{field: frozenset({block})})
        if not self.methods:
            st.info("Choose a method first; its map is drawn before and after the change.")
            return
        method = st.selectbox("Method", self.methods, format_func=lambda m: METHODS[m].title, key="change.method")

        def after(tick: jobs.Tick) -> tuple[Attribution, Prediction]:
            options = self.options[method]
            found = attribute(self.classifier, self.image, method, self.target, options, tick, self.against, changed)
            return found, predict(self.classifier, self.image, self.classifier.fast_view(changed))

        key = ("changed", *self.key(method), field, block)
        before, result = jobs.results_of(
            [self.wanted(method, "before"), ("after", key, f"{METHODS[method].title} after the change", after)]
        )
        if before is None or result is None:
            return
        found, prediction = result
        difference = replace(found, values=np.asarray(found.values) - np.asarray(before.values), signed=True)
        words_for = f"the skip of `{block}` cut" if field == "cut" else f"the branch of `{block}` dropped"
        st.markdown(words.cut_note(self.prediction, prediction, self.classifier.categories[self.target], words_for))
        columns = st.columns(3)
        for column, title, values in zip(
            columns, ("Before", "After", "After − before"), (before, found, difference), strict=True
        ):
            with column:
                st.markdown(f"**{title}**: {METHODS[method].title}")
                self.draw(values, f"change-{title}", f"{METHODS[method].title} for {self.asked}, {title.lower()} the change")

    def paths(self) -> None:
        """A block's evidence by its skip and by its branch."""
        spec = self.classifier.spec
        blocks = [name for name in spec.block_names() if spec.has_skip(name) and name not in spec.dropped]
        if not blocks:
            st.info("This network has no skip, so nothing comes by two paths; choose a residual one under Network.")
            return
        block = st.select_slider("Block", blocks, value=blocks[-1], key=f"paths.block.{self.network}")
        found = jobs.result_of(
            "paths", ("paths", *self.question, block), f"The two paths of {block}",
            lambda tick: two_paths(self.classifier, self.image, self.target, block, self.against, tick),
        )  # fmt: skip
        if found is None:
            return
        st.markdown(words.paths_note(found))
        # one scale for the three: they add up
        top = max(float(np.abs(part).max()) for part in (found.identity, found.branch, found.whole)) or 1.0
        columns = st.columns(3)
        parts = {"By the skip, x": found.identity, "By the branch, F(x)": found.branch, "Both, F(x) + x": found.whole}
        for column, (title, values) in zip(columns, parts.items(), strict=True):
            with column:
                st.markdown(f"**{title}**")
                shown = Attribution("gradient-x-activation", self.target, np.asarray(values), True, block)
                self.draw(shown, f"paths-{title}", f"Gradient × activation at {block}: {title.lower()}", top)
        st.caption("Gradient × activation at the addition, on one scale; positive speaks for the class.")

    def trust(self) -> None:
        """Curves, checks and the ranking of the chosen methods, measured when asked."""
        maps = self.found()
        ready = [method for method in self.methods if method in maps]
        st.markdown(
            "Take the strongest pixels away, put them back, cover squares, nudge the picture, shuffle the weights: "
            "what each map is worth **for this picture** is measured, not believed."
        )
        if len(ready) < len(self.methods) or not ready:
            jobs.results_of([self.wanted(m) for m in self.methods])
            ready = [method for method in self.methods if method in self.found()]
            maps = self.found()
        if not ready:
            st.info("Choose a method first; its map is measured here.")
            return
        asked = ("trust", *self.question, *(self.key(method) for method in ready))
        known = {method: self.measured(method) for method in ready}
        if not all(known.values()) and st.session_state.get("trust.asked") != asked:
            st.button("Measure the faithfulness", type="primary", icon=":material/fact_check:",
                      on_click=st.session_state.update, args=({"trust.asked": asked},))  # fmt: skip
            return
        wanted = [self.measuring(method, maps[method]) for method in ready]
        measured = dict(zip(ready, jobs.results_of(wanted), strict=True))
        if any(found is None for found in measured.values()):
            return
        titled = {METHODS[method].title: found for method, found in measured.items()}
        self.judged(titled)

    def batch(self) -> None:
        """A folder's pictures, each explained by the chosen methods."""
        given = st.file_uploader(
            "Pictures, or one zip of them", accept_multiple_files=True, key="batch.files", max_upload_size=200,
            help="Each picture's most probable class is explained with the methods' defaults.",
        )  # fmt: skip
        if not given or not self.methods:
            st.info("Give pictures, or a zip of them, and choose methods: you get a gallery, a table and every map in one zip.")
            return
        files = [(file.name, file.getvalue()) for file in given]
        key = ("batch", self.network, tuple(self.methods), tuple((name, digest(data)) for name, data in files))
        result = jobs.result_of("batch", key, f"Explaining {len(files)} files", lambda tick: self.explain_files(files, tick))
        if result is None:
            return
        packed, table, shown, count = result
        st.markdown(f"**{count} answer{'' if count == 1 else 's'}**; the first pictures:")
        columns = st.columns(4)
        for n, (title, png) in enumerate(shown):
            columns[n % 4].image(png, caption=title)
        with st.container(horizontal=True):
            st.download_button("Maps, table and gallery (ZIP)", packed, "explanations.zip", on_click="ignore")
            st.download_button("Predictions (CSV)", table, "predictions.csv", "text/csv", on_click="ignore")

    def explain_files(
        self, files: Sequence[tuple[str, bytes]], tick: jobs.Tick
    ) -> tuple[bytes, str, list[tuple[str, bytes]], int]:
        """The zip, the table, the first maps with their titles, and the number of rows."""
        buffer = io.BytesIO()
        shown: list[tuple[str, bytes]] = []
        zips = [name.lower().endswith(".zip") for name, _ in files]
        inside = [entry for (_, data), packed in zip(files, zips, strict=True) if packed for entry in unzip(data)]
        every = [file for file, packed in zip(files, zips, strict=True) if not packed] + inside
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            gallery, done = Gallery(archive.writestr), 0

            def ticked(*_: object, **__: object) -> None:
                tick(done / len(every), f"{done} of {len(every)} files")

            for found in explain_all(every, [self.classifier], self.methods, ticked):
                maps = gallery.add(found.name, found.network, found.window, found.prediction, found.maps, found.problem)
                if len(shown) < _SHOWN:
                    shown += [(f"{found.name}: {METHODS[method].title}", png) for method, png in maps]
                done += 1
            gallery.finish()
        if not gallery.rows:
            raise ValueError("there is no picture among these files; give PNG, JPEG, WebP, GIF, BMP, TIFF or AVIF")
        return buffer.getvalue(), gallery.table(), shown[:_SHOWN], len(gallery.rows)

    def judged(self, titled: Mapping[str, Faithfulness]) -> None:
        table = _trust_table(titled)
        st.dataframe(table, hide_index=True, width="stretch")
        st.download_button("Table (CSV)", table.to_csv(index=False), "faithfulness.csv", "text/csv", on_click="ignore")
        left, right = st.columns(2)
        with left:
            st.markdown("**Deletion**: a faithful map falls early", help="Petsiuk et al. 2018, arXiv 1806.07421")
            chart(
                pictures.faithfulness_curves(titled, False), "deletion", "Probability while the strongest pixels are taken away"
            )
        with right:
            st.markdown("**Insertion**: a faithful map rises early", help="From the blurred picture, Petsiuk et al. 2018")
            chart(pictures.faithfulness_curves(titled, True), "insertion", "Probability while the strongest pixels are put back")
        st.markdown("**Sanity check**: does the map follow the weights?", help="Adebayo et al. 2018, arXiv 1810.03292")
        chart(pictures.sanity_lines(titled), "sanity", "Likeness of the map while the weights are shuffled from the top")
        for title, found in titled.items():
            (st.warning if found.ignores_weights else st.markdown)(words.trust_note(title, found))

    # ---------------------------------------------------------------------------------------- parts

    def measuring(self, method: str, found: Attribution) -> tuple[str, Any, str, Any]:
        def work(tick: jobs.Tick) -> Faithfulness:
            return faithfulness(self.classifier, self.image, found, self.options[method], tick, self.against)

        return f"trust.{method}", self.trust_key(method), f"Faithfulness of {METHODS[method].title}", work

    def trust_key(self, method: str) -> tuple[Any, ...]:
        return "faithfulness", *self.key(method)

    def measured(self, method: str) -> Faithfulness | None:
        found: Faithfulness | None = jobs.manager().remembered(self.trust_key(method))
        return found

    def draw(self, found: Attribution, key: str, alt: str, top: float | None = None) -> None:
        chart(pictures.attribution_figure(self.window, found, self.look, top), key, alt)

    def coarse(self, found: Any) -> None:
        """What a running method has so far."""
        chart(pictures.attribution_figure(self.window, found, self.look), f"coarse-{found.method}", "A coarse map on its way")

    def files(self, method: str, found: Attribution) -> None:
        file = f"{method}-{self.asked.replace(' ', '-')}"
        with st.container(horizontal=True):
            for label, make, ending in (("PNG", self.png, "png"), ("NPY", _npy, "npy")):
                data = partial(make, found)
                st.download_button(label, data, f"{file}.{ending}", on_click="ignore", key=f"{label}.{method}")
            code = self.code(method)
            if code:
                with st.popover("Python", help="The same map with Captum alone"):
                    st.code(code, language="python")

    def code(self, method: str) -> str:
        channels = len(self.classifier.preprocessing.mean)
        return snippet(self.load, method, self.target, self.options[method], self.against, channels) if self.load else ""

    def png(self, found: Attribution) -> bytes:
        buffer = io.BytesIO()
        pictures.overlay_image(self.window, found, self.look).save(buffer, "PNG")
        return buffer.getvalue()

    def report(self) -> str:
        """Everything on the page in one HTML file."""
        maps = self.found()
        measured = {METHODS[m].title: found for m in maps if (found := self.measured(m)) is not None}
        ranked = report.table(["class", "probability"], [(name, f"{100 * p:.2f} %") for name, p in self.prediction.top(5)])
        shown = report.picture(self.classifier.preprocessing.seen(self.image), "As the network sees it")
        given = "".join(
            report.picture(pictures.overlay_image(self.window, found, self.look), f"{METHODS[m].title} for {self.asked}")
            for m, found in maps.items()
        )
        parameters = report.table(
            ["method", "parameters", "paper", "check"],
            [
                (METHODS[m].title, ", ".join(f"{name} = {value}" for name, value in self.options[m].items()) or "none",
                 METHODS[m].paper, words.attribution_note(found.delta, found.target_change))
                for m, found in maps.items()
            ],
        )  # fmt: skip
        code = "".join(f"<pre><code>{report.escape(self.code(m))}</code></pre>" for m in maps if self.code(m))
        sections: list[report.Section] = [
            ("What it says", report.paragraphs([words.prediction_note(self.prediction)]) + shown + ranked, ()),
            (f"Evidence for {self.asked}", given + parameters, ()),
        ]
        if measured:
            table = _trust_table(measured)
            text = report.table(list(table.columns), table.values.tolist())
            notes = report.paragraphs([words.trust_note(title, found) for title, found in measured.items()])
            curves = [pictures.faithfulness_curves(measured, False), pictures.faithfulness_curves(measured, True)]
            sections.append(("Can it be trusted?", text + notes, [*curves, pictures.sanity_lines(measured)]))
        sections.append(("The same with Captum alone", code, ()))
        return report.document("Which pixels decided?", report.paragraphs([self.about]), sections)


def _npy(found: Attribution) -> bytes:
    """The raw map, for NumPy."""
    buffer = io.BytesIO()
    np.save(buffer, found.values)
    return buffer.getvalue()


def _trust_table(titled: Mapping[str, Faithfulness]) -> pd.DataFrame:
    """The methods, best first."""
    rows = [
        {
            "method": title,
            "mean rank": f"{rank:.2f}",
            "deletion AUC ↓": f"{found.deletion_auc:.3f}",
            "insertion AUC ↑": f"{found.insertion_auc:.3f}",
            "infidelity ↓": number(found.infidelity),
            "max sensitivity ↓": number(found.sensitivity),
            "likeness with shuffled weights": number(float(found.similarity[-1]))
            + (" (ignores them)" if found.ignores_weights else ""),
        }
        for title, found, rank in words.ranking(titled)
    ]
    return pd.DataFrame(rows)


VIEWS = {
    "Compare": Studio.compare,
    "Trust": Studio.trust,
    "Through the depth": Studio.depth,
    "Change the network": Studio.change,
    "Two paths": Studio.paths,
    "Many pictures": Studio.batch,
}
