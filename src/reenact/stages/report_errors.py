"""Objects against the known truth, in the report: a table each, one plot."""

from __future__ import annotations

from collections.abc import Sequence

from reenact.quality.objects.against_truth import MatchedObject, ObjectErrors
from reenact.rendering.palette import hex_color, object_rgb
from reenact.scene import ObjectTracks
from reenact.viewer.report import Plot, Series, Table
from reenact.viewer.strips import object_labels

Row = tuple[str, str, str]


def errors_table(errors: ObjectErrors) -> Table:
    """One object against the known truth."""
    rows: list[Row] = [
        ("it is", f"the true {errors.true_name}", "the nearest one"),
        ("pose known", f"{errors.known:.0%}", "of the frames"),
        ("middle off by", f"{errors.middle_cm:.2f} cm", "mean, not aligned"),
        ("turned off by", f"{errors.turn_deg:.1f} deg", "mean, from the first common frame on"),
        ("ADD-S AUC", f"{errors.add_s_auc:.3f}", "0 to 10 cm, as DexMan B.6"),
        ("VSD AUC", _figure(errors.vsd_auc), "as DexMan B.6"),
        ("failure rate", _figure(errors.failure_rate), "silhouettes overlap by less than a tenth"),
        ("temporal stability", _figure(errors.temporal_stability), "as DexMan B.6"),
        ("largest jump", _figure(errors.largest_jump_cm, "{:.2f} cm"), "near changes of state"),
        ("state F1", _figure(errors.state_f1), f"agrees in {_figure(errors.state_agreement, '{:.0%}')}"),
        (
            "contact precision, recall",
            f"{_figure(errors.contact_precision, '{:.2f}')}, {_figure(errors.contact_recall, '{:.2f}')}",
            "",
        ),
        (
            "penetration",
            _figure(errors.penetration_mm, "{:.1f} mm"),
            "mean over touching points, by our contacts",
        ),
    ]
    return Table(f"Object {errors.name} against the truth", tuple(rows))


def errors_plot(matched: Sequence[MatchedObject], objects: ObjectTracks) -> list[Plot]:
    """Distance of each object's middle from the truth."""
    labels = object_labels(objects)
    series = tuple(
        Series(labels[m.object_idx], m.middle * 100, m.valid, hex_color(object_rgb(m.object_idx)))
        for m in matched
    )
    return [Plot("object place error", "cm", series, "middle, against the known truth")] if series else []


def _figure(value: float | None, form: str = "{:.3f}") -> str:
    return "unknown" if value is None else form.format(value)
