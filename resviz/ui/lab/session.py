"""The lab of one browser session: its plan, the networks that learn, and the job that trains them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import streamlit as st

from resviz.apart import engine
from resviz.jobs import AGAIN, Job, JobsFull
from resviz.nets.cost import check_memory
from resviz.progress import Tick
from resviz.spec.comparisons import COMPARISONS, fitting
from resviz.spec.datasets import DATASETS, POINTS
from resviz.spec.families import Network
from resviz.spec.lab import ENDLESS, PARAMETERS, Edit, LabPlan, plan_from_query, plan_to_query
from resviz.spec.net import SpecError
from resviz.ui.left_out import said_of
from resviz.ui.state import went_back
from resviz.ui.waiting import submit

if TYPE_CHECKING:
    from resviz.data.images import ImageSet
    from resviz.probes.masks import MaskWatch
    from resviz.probes.plane import Watch
    from resviz.training.lab import Lab
    from resviz.training.turn import Turn

__all__ = ["Session", "hand_over", "session"]


@dataclass
class Session:
    """What the page holds on to between runs."""

    plan: LabPlan
    lab: Lab | None = None
    job: Job | None = None
    pace: float = math.inf  # steps a second
    until: int = 1
    told: set[int] = field(default_factory=set)  # contenders whose divergence has paused the lab already
    own: tuple[ImageSet, ImageSet] | None = None
    own_key: str = ""  # the upload that `own` was read from
    notes: tuple[str, ...] = ()  # what was left out of it
    notice: str = ""  # what was left out of a link or refused; shown until the visitor starts over
    error: str = ""
    watch: Watch | None = None  # of the plane, where the contenders learn points
    marks: MaskWatch | None = None  # of pictures, where every pixel has a class

    @property
    def running(self) -> bool:
        """Whether a job trains at this moment."""
        return self.job is not None and self.job.live

    @property
    def step(self) -> int:
        """The step that the lab has reached; 0 before the first."""
        return self.lab.step_number if self.lab else 0

    @property
    def over(self) -> bool:
        """Whether it can only be reset: stopped, or ended by an error."""
        return self.lab is not None and self.lab.broken

    @property
    def failed(self) -> bool:
        """Whether its last job ended by an error."""
        return bool(self.error) or (self.job is not None and self.job.state == "failed")

    @property
    def current(self) -> LabPlan:
        """The plan with everything that was done so far."""
        return self.lab.plan if self.lab else self.plan

    @property
    def ready(self) -> bool:
        """Whether its images are there."""
        if self.plan.data == "cifar10":
            from resviz.data.datasets import cifar10_there

            return cifar10_there()
        return self.plan.data != "own" or self.own is not None

    def configure(self, change: Callable[[LabPlan], LabPlan]) -> None:
        """Start over with another plan; what cannot be run leaves this one as it is and becomes the notice."""
        try:
            plan = change(replace(self.plan, edits=(), steps=0))
        except SpecError as error:
            self.notice = str(error)
            return
        self.reset(plan)

    def reset(self, plan: LabPlan) -> None:
        """Begin anew with another plan."""
        self.pause(0.0)
        self.plan, self.lab, self.job, self.until, self.error = self.fitted(plan), None, None, 1, ""
        self.watch = self.marks = None
        self.told = set()  # a turn of the old lab may still hold the other
        self.notice = ""

    def fitted(self, plan: LabPlan) -> LabPlan:
        """Contenders with the inputs and classes that the data have, and batches that they can fill."""
        data = DATASETS[plan.data]
        classes = len(self.own[0].categories) if plan.data == "own" and self.own else data.classes or 10
        specs = tuple(fitting(spec, data.side, data.channels, classes) for spec in plan.contenders)
        batch = min(plan.batch, len(self.own[0])) if plan.data == "own" and self.own else plan.batch
        if data.points:
            batch = min(batch, POINTS * plan.share // 100)
        return replace(plan, contenders=specs, batch=batch)

    def run_to(self, until: int = ENDLESS) -> None:
        """Train on, up to a step; what cannot be started is said in `error`."""
        from resviz.data.datasets import lab_sets
        from resviz.training.lab import Lab

        if self.job is not None and self.until == 1:
            self.job.wait(2.0)  # the first step, which the page takes by itself
            if self.running:  # on a busy server it goes on from there
                self.until = until
        if self.running or self.over or not self.ready:
            return
        self.error, self.until = "", until
        try:
            for spec in self.plan.contenders:
                check_memory(spec, DATASETS[self.plan.data].side, self.plan.batch)
            if self.lab is None:
                self.lab = Lab(self.plan, lab_sets(self.plan, self.own), augment=DATASETS[self.plan.data].augmented)
                self._watch_answers()
            self.job = submit(("lab", object()), self._work)
        except (SpecError, JobsFull) as error:
            self.error = str(error)

    def _watch_answers(self) -> None:
        data = DATASETS[self.plan.data]
        if data.points:
            from resviz.probes.plane import Watch

            self.watch = Watch()
        elif data.pixels:
            from resviz.probes.masks import MaskWatch

            self.marks = MaskWatch()

    def watch_layer(self, layer: str) -> None:
        """Have the units of another layer mapped: by the next look, or at once where nothing trains."""
        if self.watch is not None:
            self.watch.layer = layer
            if not self.running and not self.over and self.lab is not None:
                self._turn().look(at_once=True)

    def _turn(self) -> Turn:
        from resviz.training.turn import Turn

        assert self.lab is not None  # submitted with one
        return Turn(self.lab, self.until, self.pace, self.told, self.watch, self.marks)

    def _work(self, tick: Tick) -> object:
        """In the worker's thread: steps, here or where the engine computes, until the end, a divergence, or the end of a turn."""
        turn, layer = self._turn(), self.watch and self.watch.layer

        def changed() -> bool:
            return self.pace != turn.pace or (self.watch and self.watch.layer) != layer

        if (elsewhere := engine()) is not None:
            from resviz.apart.lab import take_apart

            more = take_apart(turn, elsewhere, tick, changed)
        else:
            more = turn.take(lambda fraction, note="", partial=None: tick(fraction, note) or changed())
        further = self.until > turn.until and turn.lab.divergence is None  # asked for while the first step was taken
        return AGAIN if more or further else None

    def pause(self, patience: float = 0.3) -> None:
        """Stop after the current step, which is waited for at most `patience` seconds."""
        if self.job is not None and self.job.live:
            self.job.cancel()
            self.job.wait(patience)

    def stop(self) -> None:
        """End the run: what was recorded stays, the networks are let go."""
        self.pause(5.0)
        if self.lab is not None and not self.running:
            self.lab.stop()

    def ask(self, edit: Edit) -> None:
        """Change the running lab, or the plan of one that has not begun."""
        if self.lab is not None and not self.over:
            self.lab.ask(edit)

    def toggle_skip(self, contender: int, block: str) -> None:
        """Cut or restore a skip from the next step on; browser input, so what names no block is ignored."""
        if self.lab is None or self.over or contender >= len(self.plan.contenders):
            return
        spec = self.lab.specs[contender]
        if spec.residual and block in set(spec.block_names()):
            self.ask(Edit(1, "restore" if block in spec.cut else "cut", contender, block))

    def specs(self) -> tuple[Network, ...]:
        """The contenders as they are now, with what was cut since the start."""
        return self.lab.specs if self.lab else self.plan.contenders


def hand_over(plan: LabPlan) -> None:
    """What the lab page starts over with when it is opened next."""
    st.session_state["lab.next"] = plan


def session() -> Session:
    """This browser session's lab, seeded once from the link, and again where the browser's Back leads to another one."""
    if "lab" not in st.session_state:
        st.session_state.lab = Session(COMPARISONS["With skips or without"](56))
        _follow(st.session_state.lab)
    lab: Session = st.session_state.lab
    if (plan := st.session_state.pop("lab.next", None)) is not None:
        lab.reset(plan)
    own = {name: text for name, text in st.query_params.items() if name in PARAMETERS}
    if went_back() and own != plan_to_query(lab.current):
        _go_back(lab)
    return lab


def _go_back(lab: Session) -> None:
    """Take up the plan of an address that was left; steps alone undo nothing, and a run that is given up can be replayed."""
    begun = lab.step > 1
    plan, _ = plan_from_query(dict(st.query_params))
    if begun and (plan is None or replace(lab.fitted(plan), steps=0) == replace(lab.current, steps=0)):
        return
    _follow(lab)
    if begun and not lab.notice:
        lab.notice = "Back at an earlier plan, at its first step. The browser's Forward returns to the other, to replay it."


def _follow(lab: Session) -> None:
    """Start over with the plan that the address holds, if it holds one."""
    plan, problems = plan_from_query(dict(st.query_params))
    lab.reset(plan or lab.plan)
    lab.notice = said_of(problems)
