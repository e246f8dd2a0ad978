"""What is kept of a run: its weights as safetensors, its history as Parquet, and the card that says where they come from."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from resviz.machine import cores
from resviz.recordings import lab_frame, to_parquet, write_run
from resviz.results import BlockSignal, Card, EpochRecord, GradientProfile, LabRecord, Probe
from resviz.spec.datasets import DATASETS
from resviz.spec.lab import plan_to_query
from resviz.spec.names import describe
from resviz.spec.query import to_query_string
from resviz.version import __version__
from resviz.zoo.read import said_of

if TYPE_CHECKING:
    from resviz.training.lab import Lab
    from resviz.training.loop import Training

__all__ = ["ending", "export", "history_from_json", "history_to_json", "lab_checkpoint", "lab_recording"]


def history_to_json(history: Sequence[EpochRecord]) -> str:
    """Every epoch's record as text, for a checkpoint."""
    return json.dumps([asdict(record) for record in history], default=list)


def history_from_json(text: str) -> list[EpochRecord]:
    """The records that `history_to_json` wrote."""
    return [_record(values) for values in json.loads(text)]


def _record(values: dict[str, Any]) -> EpochRecord:
    probe = values.pop("probe")
    if probe is not None:
        profile, signal = probe["profile"], probe["signal"]
        probe = Probe(
            GradientProfile(tuple(profile["names"]), np.array(profile["norms"]), profile["loss"]),
            BlockSignal(tuple(signal["names"]), np.array(signal["gradient_norms"]), np.array(signal["activation_std"])),
        )
    return EpochRecord(**values | {"probe": probe, "branch_ratio": tuple(values["branch_ratio"])})


def export(run: Training, out: Path, data: str, caveat: str, command: str, half: bool = False) -> Path:
    """Write OUT.safetensors (fp32, fp16 where `half`), OUT.json (the card) and OUT.parquet (the run); returns the card's path.

    The card's errors are those of the weights as written: rounded to fp16, they are measured again.
    """
    from safetensors.torch import save_file

    from resviz.probes.accuracy import evaluate

    last = run.history[-1]
    out.parent.mkdir(parents=True, exist_ok=True)
    weights = {name: tensor.contiguous().cpu() for name, tensor in run.net.state_dict().items()}
    if half:
        weights = {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in weights.items()}
        run.net.load_state_dict(weights)
        (train_error, train_loss), (test_error, test_loss) = evaluate(run.net, run.fixed), evaluate(run.net, run.test)
        last = replace(last, train_error=train_error, train_loss=train_loss, test_error=test_error, test_loss=test_loss)
    card = _card(run, last, data, caveat, command, half)
    save_file(weights, ending(out, ".safetensors"), {"card": json.dumps(card, ensure_ascii=False)})
    path = ending(out, ".json")
    path.write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    write_run(ending(out, ".parquet"), card, run.losses, run.history)
    return path


def _card(run: Training, last: EpochRecord, data: str, caveat: str, command: str, half: bool) -> Card:
    """What is to be known of the weights; `last` holds their errors."""
    import torch

    return {
        "title": describe(run.spec),
        "spec": to_query_string(run.spec),
        "data": _readable(data),
        "caveat": _readable(caveat),
        "categories": list(run.train.categories),
        "image_size": run.test.images.shape[-1],
        "resize": run.test.resize or run.test.images.shape[-1],
        "mean": list(run.train.mean),
        "std": list(run.train.std),
        "recipe": asdict(run.recipe),
        "seed": run.spec.seed,
        "epochs": last.epoch,
        "seconds": round(sum(record.seconds for record in run.history)),
        "measured": {
            "test_error": last.test_error,
            "test_loss": last.test_loss,
            "train_error": last.train_error,
            "train_loss": last.train_loss,
            "test_images": len(run.test),
        },
        "train_error_measured": f"eval mode, un-augmented images, a fixed choice of {len(run.fixed):,}",
        "precision": f"{run.arithmetic.precision} while training, float32 when measured"
        + (", weights stored as float16" if half else ""),
        "arithmetic": {"taken": run.arithmetic.describe(), "why": run.arithmetic.why},
        "machine": f"{platform.machine()}, {torch.backends.cpu.get_cpu_capability()}, {cores()} cores",
        "versions": {"resviz": __version__, "torch": torch.__version__, "python": platform.python_version()},
        "command": _readable(command),
    }


def lab_recording(record: LabRecord) -> bytes:
    """Everything a lab recorded, of every contender, as a Parquet file that says which lab it was."""
    return to_parquet(lab_frame(record), {"lab": plan_to_query(record.plan), "step": record.step})


def lab_checkpoint(lab: Lab, contender: int) -> bytes:
    """A contender as safetensors, with a card in its metadata that says what it is and how it is asked, and what the lab recorded.

    Raises `RuntimeError` before the lab's first step.
    """
    from safetensors.torch import save

    net, held_out = lab.network(contender)
    side, spec = held_out.images.shape[-1], lab.specs[contender]
    card = {
        "title": describe(spec),
        "spec": to_query_string(spec),
        "data": DATASETS[lab.plan.data].title,
        "caveat": f"From the Lab, after {lab.step_number} steps of {lab.plan.batch} images.",
        "categories": list(held_out.categories),
        "image_size": side,
        "resize": held_out.resize or side,
        "mean": list(held_out.mean),
        "std": list(held_out.std),
    }
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in net.state_dict().items()}
    record = lab.record()
    return save(weights, said_of(card, b"" if record is None else lab_recording(record)))


def _readable(text: str) -> str:
    """What a shell in a locale of seven bits handed over, as the UTF-8 it was typed in."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def ending(out: Path, suffix: str) -> Path:
    """OUT with an ending behind whatever dots its name has: runs/lr0.1 and runs/lr0.2 are two runs."""
    return out.with_name(out.name + suffix)
