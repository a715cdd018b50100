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

// Slanted lines over the stretches in which a band's code means that nothing is known.
function hatch(context, strip, width, top, height) {
  if (!strip.hatched.length) return;
  context.save();
  context.beginPath();
  for (let i = 0; i < COUNT; i++) {
    if (strip.hatched.includes(strip.values.data[i])) context.rect((i / COUNT) * width, top, width / COUNT + 0.6, height);
  }
  context.clip();
  context.strokeStyle = "#8a857a"; context.lineWidth = 1; context.beginPath();
  for (let x = -height; x < width; x += 6) { context.moveTo(x, top + height); context.lineTo(x + height, top); }
  context.stroke();
  context.restore();
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
    hatch(context, strip, width, r * row + 2, row - 4);
    context.lineWidth = 3;
    context.strokeStyle = "rgba(255,255,255,0.85)";
    const left = strip.swatch ? 18 : 5, middle = r * row + row / 2;
    context.strokeText(strip.name, left, middle + 4);
    context.fillStyle = "#22252a";
    context.fillText(strip.name, left, middle + 4);
    if (strip.swatch) {
      context.fillStyle = strip.swatch;
      context.fillRect(5, middle - 5, 10, 10);
      context.lineWidth = 1;
      context.strokeRect(5, middle - 5, 10, 10);
    }
  });
  cursor(context, frame, width, height);
}

function drawPlot(canvas, plot, frame) {
  const { context, width, height } = fitCanvas(canvas);
  const top = plot.top || 1e-9, low = plot.bottom;
  const y = (v) => height - 4 - ((Math.max(low, Math.min(v, top)) - low) / (top - low)) * (height - 14);
  if (low < 0) { context.fillStyle = "#e4e1da"; context.fillRect(0, y(0), width, 1); }
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
