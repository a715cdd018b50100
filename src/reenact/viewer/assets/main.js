// Puts the page together and keeps video, 3D, timeline and plots on one frame. `window.reenact` is for tests and scripts.
(function () {
  const video = $("video");
  let frame = 0, robotIndex = 0, playing = false;
  const view = makeView();
  const plots = makePlots(setFrame);

  function draw() {
    drawOverlay(frame);
    view.show(frame, robotIndex);
    drawStrips(frame);
    for (const { box, plot, draw: paint } of plots) {
      box.hidden = plot.robot !== null && plot.robot !== robotIndex;
      if (!box.hidden) paint(frame);
    }
    $("clock").textContent = `frame ${frame + 1} / ${COUNT}   ${DATA.clip.t.data[frame].toFixed(2)} s`;
  }
  const videoFrame = () => Math.min(COUNT - 1, Math.floor(video.currentTime * DATA.clip.videoFps + 1e-4));

  function setFrame(next) {
    frame = Math.max(0, Math.min(COUNT - 1, next));
    if (videoFrame() !== frame) video.currentTime = (frame + 0.5) / DATA.clip.videoFps;
    draw();
  }
  function tick() {
    if (!playing) return;
    frame = videoFrame();
    draw();
    if (video.ended) { setPlaying(false); return; }
    requestAnimationFrame(tick);
  }
  function setPlaying(on) {
    playing = on;
    $("play").textContent = on ? "pause" : "play";
    if (!on) { video.pause(); setFrame(videoFrame()); return; }
    if (frame >= COUNT - 1) setFrame(0);
    video.playbackRate = Number($("rate").value);
    video.play().then(tick);
  }
  function fillWords() {
    $("title").textContent = DATA.title;
    $("subtitle").textContent = DATA.subtitle;
    for (const tile of DATA.tiles) {
      const box = element("div", undefined, $("tiles"));
      box.className = "tile";
      element("b", tile.value, box);
      element("span", tile.label, box);
    }
    fillList("unknowns", "What is not known", DATA.unknowns);
    for (const table of DATA.tables) fillTable(table);
    fillList("flags", "What was noticed", DATA.flags);
    SOURCE_NAMES.forEach((name, i) => {
      const item = element("span", undefined, $("legend"));
      element("i", undefined, item).style.background = SOURCE_COLORS[i];
      item.append(name);
    });
    if (DATA.strips.some((strip) => strip.hatched.length)) DATA.states.names.forEach((name, i) => {
      const item = element("span", undefined, $("state-legend")), mark = element("i", undefined, item);
      mark.style.backgroundColor = DATA.states.colors[i];
      if (i === 0) mark.className = "hatched";
      item.append(name);
    });
    if (DATA.objects) DATA.objects.names.forEach((name, i) => {
      const item = element("span", undefined, $("objects"));
      element("i", undefined, item).style.background = DATA.objects.colors[i];
      item.append(name);
    });
    if (DATA.contacts) {
      const item = element("span", undefined, $("objects"));
      element("i", undefined, item).style.background = DATA.contacts.color;
      item.append("contact");
    }
    $("caption3d").firstChild.textContent = DATA.caption;
    $("eyes-choice").hidden = !DATA.ego;
  }
  function fillList(id, title, lines) {
    element("h2", title, $(id));
    const list = element("ul", undefined, $(id));
    for (const line of lines) element("li", line, list);
    $(id).hidden = lines.length === 0;
  }
  function fillTable({ title, rows }) {
    const box = element("div", undefined, $("tables"));
    element("h2", title, box);
    const body = element("table", undefined, box);
    for (const [name, value, note] of rows) {
      const row = element("tr", undefined, body);
      element("th", name, row);
      const cell = element("td", value + " ", row);
      if (note) element("small", note, cell);
    }
  }
  function fillRobots() {
    DATA.robots.forEach((robot, i) => { element("option", robot.name, $("robot")).value = i; });
    $("robot-choice").hidden = DATA.robots.length < 2;
    $("robot").addEventListener("change", () => { robotIndex = Number($("robot").value); draw(); });
  }

  fillWords();
  fillRobots();
  $("play").addEventListener("click", () => setPlaying(!playing));
  $("back").addEventListener("click", () => setFrame(frame - 1));
  $("next").addEventListener("click", () => setFrame(frame + 1));
  $("rate").addEventListener("change", () => { video.playbackRate = Number($("rate").value); });
  $("eyes").addEventListener("change", () => { view.lookFromEyes($("eyes").checked); draw(); });
  $("strips").style.height = `${Math.max(2, DATA.strips.length) * 22 + 4}px`;
  $("strips").addEventListener("click", (event) => setFrame(frameAt(event, $("strips"))));
  window.addEventListener("resize", draw);
  document.addEventListener("keydown", (event) => {
    if (event.key === " ") { event.preventDefault(); setPlaying(!playing); }
    if (event.key === "ArrowLeft") setFrame(frame - 1);
    if (event.key === "ArrowRight") setFrame(frame + 1);
  });
  window.reenact = { setFrame, frame: () => frame, videoFrame, count: COUNT, play: () => setPlaying(true), pause: () => setPlaying(false) };
  setFrame(0);
  video.addEventListener("loadeddata", draw);
})();
