"""The report page in a real browser: nothing asked for, nothing complained about, video and 3D on the same frame."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from reenact.video.writer import VideoWriter
from reenact.viewer.encode import packed
from reenact.viewer.report import Plot, ReportContent, Series, Table, write_report
from tests import scenes
from tests.reframe.made import with_box
from tests.viewer.browser import console_errors, open_page, requests_made

FRAMES, FPS = 30, 15.0
LIFT = np.zeros((4, 4))
LIFT[2, 3] = 0.2
"""The virtual camera of this page stands so much above the real one (m)."""


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    scene = with_box(scenes.waving_scene(FRAMES, FPS))
    worn = replace(
        scene.camera, intrinsics_source="virtual", T_world_camera=scene.camera.T_world_camera + LIFT
    )
    scene = replace(scene, ego=worn)
    with VideoWriter(folder / "clip.mp4", scenes.WIDTH, scenes.HEIGHT, FPS) as writer:
        for i in range(FRAMES):
            writer.write(scenes.numbered_frame(i))
    curve = Series("left", np.linspace(0, 0.05, FRAMES), scene.hands.valid[:, 0], "#1f77b4")
    content = ReportContent(
        title="waving </script><b>", subtitle="two hands", scene=scene, video=folder / "clip.mp4", video_fps_hz=FPS,
        tiles=[("100 %", "frames with two hands")],
        plots=[Plot("reprojection", "of box", (curve,), lines=(("gate", 0.06),))],
        tables=[Table("Camera", (("focal", "260 px", "truth"),))], unknowns=["the left hand from 0.7 s to 1.0 s"],
        flags=["box: its size is a guess"],
    )  # fmt: skip
    write_report(folder / "report.html", content)
    return folder / "report.html"


def frame_shown(browser) -> int:
    """Number painted in the video frame that is on the page."""
    script = """
      const v = document.getElementById('video'), c = document.createElement('canvas');
      c.width = v.videoWidth; c.height = v.videoHeight;
      const g = c.getContext('2d', {willReadFrequently: true});
      g.drawImage(v, 0, 0);
      let n = 0; const w = c.width;
      for (let b = 0; b < 8; b++) {
        const x = Math.floor(b * w / 8) + Math.floor(w / 16);
        if (g.getImageData(x, Math.floor(c.height / 6), 1, 1).data[0] > 128) n |= 1 << b; }
      return n;"""
    return browser.execute_script(script)


def seek(browser, frame: int) -> None:
    browser.set_script_timeout(20)
    browser.execute_async_script(
        """const [n, done] = arguments, v = document.getElementById('video');
        if (reenact.frame() === n && !v.seeking) { done(); return; }
        v.addEventListener('seeked', () => requestAnimationFrame(() => done()), {once: true}); reenact.setFrame(n);""",
        frame,
    )


def test_the_page_works_alone_and_keeps_video_and_3d_together(page: Path) -> None:
    with open_page(page) as browser:
        assert browser.execute_script("return reenact.count") == FRAMES
        pictures = set()
        for frame in (7, 29, 0, 16):
            seek(browser, frame)
            pictures.add(browser.execute_script("return document.getElementById('view3d').toDataURL()"))
            state = browser.execute_script("return [reenact.frame(), reenact.videoFrame()]")
            assert state == [frame, frame]
            assert frame_shown(browser) == frame
        assert browser.execute_script(
            "return document.getElementById('view3d').getContext('webgl2') !== null"
        )
        assert len(pictures) == 4, "the 3D view does not follow the frame"
        shown = browser.execute_script("return document.getElementById('view3d').toDataURL()")
        browser.execute_script("document.getElementById('eyes').click()")
        assert browser.execute_script("return document.getElementById('view3d').toDataURL()") != shown
        words = "return document.getElementById(arguments[0]).textContent"
        assert browser.execute_script(words, "objects") == "boxcontact"
        assert browser.execute_script(words, "state-legend").startswith("unknownstaticmovinggrasped left")
        assert browser.execute_script(words, "flags") == "What was noticedbox: its size is a guess"
        title = browser.execute_script("return document.getElementById('title').textContent")
        assert title.startswith("waving </script>")
        assert console_errors(browser) == []
        assert requests_made(browser) == []


def test_the_file_names_no_address(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for tag in re.findall(r"<(?:script|link|img|video|iframe)[^>]*>", text):
        assert not re.search(r"(?:src|href)=\"(?!data:)", tag), tag[:80]


def test_packed_arrays_carry_their_shape_and_refuse_other_types() -> None:
    value = packed(np.arange(6).reshape(2, 3), "uint16")
    assert (value["dtype"], value["shape"]) == ("uint16", [2, 3])
    assert json.loads(json.dumps(value)) == value
    with pytest.raises(ValueError, match="float64"):
        packed(np.zeros(3), "float64")
