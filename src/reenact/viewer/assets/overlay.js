// Outlines of objects and landmarks of hands over the video, in the video's own letterboxed rectangle.
function drawOverlay(frame) {
  const { context, width, height } = fitCanvas($("overlay"));
  const scale = Math.min(width / DATA.clip.width, height / DATA.clip.height);
  const left = (width - DATA.clip.width * scale) / 2, top = (height - DATA.clip.height * scale) / 2;
  const x = (px) => left + (px + 0.5) * scale, y = (px) => top + (px + 0.5) * scale;
  context.save();
  context.beginPath();
  context.rect(left, top, DATA.clip.width * scale, DATA.clip.height * scale);
  context.clip();
  if (DATA.objects) drawOutlines(context, frame, x, y);
  if (DATA.landmarks) drawLandmarks(context, frame, x, y);
  context.restore();
}

function drawOutlines(context, frame, x, y) {
  DATA.objects.outlines.forEach((outline, k) => {
    if (!outline || !outline.valid.data[frame]) return;
    const count = outline.px.shape[1], at = frame * count * 2, px = outline.px.data;
    context.strokeStyle = DATA.objects.colors[k];
    context.lineWidth = 2;
    context.beginPath();
    for (let i = 0; i < count; i++) context.lineTo(x(px[at + 2 * i]), y(px[at + 2 * i + 1]));
    context.closePath();
    context.stroke();
  });
}

function drawLandmarks(context, frame, x, y) {
  for (let side = 0; side < 2; side++) {
    if (!DATA.landmarks.valid.data[frame * 2 + side]) continue;
    const at = (j, k) => DATA.landmarks.px.data[((frame * 2 + side) * 21 + j) * 2 + k];
    context.strokeStyle = context.fillStyle = SIDE_COLORS[side];
    context.lineWidth = 2;
    context.beginPath();
    for (const [a, b] of BONES) { context.moveTo(x(at(a, 0)), y(at(a, 1))); context.lineTo(x(at(b, 0)), y(at(b, 1))); }
    context.stroke();
    for (let j = 0; j < 21; j++) { context.beginPath(); context.arc(x(at(j, 0)), y(at(j, 1)), 2.5, 0, 7); context.fill(); }
  }
}
