"""A contact sheet: one self-contained HTML page with three frames and the curves of every episode."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from reenact.datasets.lerobot.folder import EpisodeRow, LeRobotFolder
from reenact.errors import ReenactError
from reenact.records.files import atomic_file

HEIGHT_PX = 120
CURVE_PX = (290, 120)
COLOURS = ("#4e79a7", "#f28e2b", "#e15759", "#76b7b2", "#59a14f", "#edc948", "#b07aa1", "#9c755f")
STYLE = """body{font:14px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:1200px;padding:0 1rem;color:#222}
article{border-top:1px solid #ddd;padding:.6rem 0;display:flex;gap:1rem;flex-wrap:wrap;align-items:center}
article h2{font-size:1rem;width:100%;margin:0}img{height:120px;border-radius:4px}svg{background:#f6f6f6;border-radius:4px}
p.bad{color:#b00}@media(prefers-color-scheme:dark){body{background:#181818;color:#ddd}svg{background:#262626}}"""


def write_sheet(folder: Path, path: Path, *, most: int = 60) -> int:
    """Write the page for the first `most` episodes; returns how many it shows. What cannot be read is said there."""
    data = LeRobotFolder(folder)
    info = data.info
    rows = data.rows[:most]
    head = (
        f"<h1>{html.escape(data.root.name)}</h1><p>{html.escape(str(data.robot_type))}, {data.version}, "
        f"{len(data.rows)} episodes, {info.get('total_frames')} frames at {info.get('fps')} Hz. Each row: first, middle "
        "and last frame of every camera; observation.state, then action (value over time, one line per joint).</p>"
    )
    body = "\n".join(_article(data, row) for row in rows)
    title = f"<title>{html.escape(data.root.name)}</title>"
    text = f"<!doctype html><meta charset=utf-8>{title}<style>{STYLE}</style>{head}{body}"
    with atomic_file(path) as beside:
        beside.write_text(text, encoding="utf-8")
    return len(rows)


def _article(data: LeRobotFolder, row: EpisodeRow) -> str:
    task = html.escape("; ".join(row.tasks))
    parts = [f"<h2>{row.index}: {task} ({row.length} frames)</h2>"]
    for key in row.videos:
        try:
            parts += list(_pictures(data, row, key))
        except ReenactError as error:
            parts.append(f"<p class=bad>{html.escape(str(error))}</p>")
    try:
        columns = data.columns(row)
        parts += [_curves(columns[name], name) for name in ("observation.state", "action") if name in columns]
    except ReenactError as error:
        parts.append(f"<p class=bad>{html.escape(str(error))}</p>")
    return f"<article>{''.join(parts)}</article>"


def _pictures(data: LeRobotFolder, row: EpisodeRow, key: str) -> Iterator[str]:
    import cv2

    for i in sorted({0, row.length // 2, row.length - 1}):
        for frame in data.chunk_frames(row, key, i, 1):
            width = max(1, round(frame.shape[1] * HEIGHT_PX / frame.shape[0]))
            small = cv2.resize(frame, (width, HEIGHT_PX), interpolation=cv2.INTER_AREA)
            jpeg = cv2.imencode(".jpg", small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes()
            code = base64.b64encode(jpeg).decode()
            yield f'<img alt="{html.escape(key)} frame {i}" src="data:image/jpeg;base64,{code}">'


def _curves(values: np.ndarray, name: str) -> str:
    width, height = CURVE_PX
    rows = np.linspace(0, len(values) - 1, min(len(values), width // 2)).round().astype(int)
    shown = np.nan_to_num(values[rows].astype(float))
    low, high = float(shown.min()), float(shown.max())
    y = height - 5 - (shown - low) / max(high - low, 1e-9) * (height - 10)
    x = np.linspace(0, width, len(rows))
    lines = [
        f'<polyline fill=none stroke="{COLOURS[k % len(COLOURS)]}" points="'
        + " ".join(f"{a:.0f},{b:.1f}" for a, b in zip(x, y[:, k], strict=True))
        + '"/>'
        for k in range(shown.shape[1])
    ]
    title = f"<title>{html.escape(name)}: {low:.3g} to {high:.3g}</title>"
    return f"<svg width={width} height={height}>{title}{''.join(lines)}</svg>"
