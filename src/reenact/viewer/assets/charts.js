// Timeline strips (who was seen, how it is known) and line plots, each with the cursor of the current frame.
const frameX = (frame, width) => (COUNT < 2 ? 0 : (frame / (COUNT - 1)) * width);
const frameAt = (event, canvas) => {
  const box = canvas.getBoundingClientRect();
  return Math.max(0, Math.min(COUNT - 1, Math.round(((event.clientX - box.left) / box.width) * (COUNT - 1))));
};

function cursor(context, frame, width, height) {
  context.strokeStyle = "#22252a";
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(frameX(frame, width), 0);
  context.lineTo(frameX(frame, width), height);
  context.stroke();
}

function drawStrips(frame) {
  const { context, width, height } = fitCanvas($("strips"));
  const rows = DATA.strips, row = height / Math.max(rows.length, 1);
  context.font = "11px system-ui, sans-serif";
  rows.forEach((strip, r) => {
    for (let i = 0; i < COUNT; i++) {
      context.fillStyle = strip.colors[strip.values.data[i]];
      const x0 = (i / COUNT) * width;
      context.fillRect(x0, r * row + 2, width / COUNT + 0.6, row - 4);
    }
    context.lineWidth = 3;
    context.strokeStyle = "rgba(255,255,255,0.85)";
    context.strokeText(strip.name, 5, r * row + row / 2 + 4);
    context.fillStyle = "#22252a";
    context.fillText(strip.name, 5, r * row + row / 2 + 4);
  });
  cursor(context, frame, width, height);
}

function drawPlot(canvas, plot, frame) {
  const { context, width, height } = fitCanvas(canvas);
  const top = plot.top || 1e-9, y = (v) => height - 4 - (Math.min(v, top) / top) * (height - 14);
  for (const line of plot.lines) {
    context.strokeStyle = "#b3261e"; context.setLineDash([4, 4]);
    context.beginPath(); context.moveTo(0, y(line.value)); context.lineTo(width, y(line.value)); context.stroke();
    context.setLineDash([]); context.fillStyle = "#b3261e"; context.font = "11px system-ui, sans-serif";
    context.fillText(line.label, width - 6 - context.measureText(line.label).width, y(line.value) - 3);
  }
  for (const series of plot.series) {
    context.strokeStyle = series.color; context.lineWidth = 1.4; context.beginPath();
    let pen = false;
    for (let i = 0; i < COUNT; i++) {
      if (!series.mask.data[i]) { pen = false; continue; }
      const x = frameX(i, width), v = y(series.values.data[i]);
      if (pen) context.lineTo(x, v); else context.moveTo(x, v);
      pen = true;
    }
    context.stroke();
  }
  context.fillStyle = "#6b7078"; context.font = "11px system-ui, sans-serif";
  context.fillText(`${top.toPrecision(2)} ${plot.unit}`, 2, 10);
  cursor(context, frame, width, height);
}

function makePlots(onPick) {
  return DATA.plots.map((plot) => {
    const box = element("div", undefined, $("plots"));
    box.className = "plot";
    const head = element("h3", plot.title + " ", box);
    element("small", plot.note || "", head);
    const canvas = element("canvas", undefined, box);
    canvas.addEventListener("click", (event) => onPick(frameAt(event, canvas)));
    return { box, plot, draw: (frame) => drawPlot(canvas, plot, frame) };
  });
}
