// Landmarks over the video, in the video's own letterboxed rectangle.
function drawOverlay(frame) {
  const { context, width, height } = fitCanvas($("overlay"));
  if (!DATA.landmarks) return;
  const scale = Math.min(width / DATA.clip.width, height / DATA.clip.height);
  const left = (width - DATA.clip.width * scale) / 2, top = (height - DATA.clip.height * scale) / 2;
  for (let side = 0; side < 2; side++) {
    if (!DATA.landmarks.valid.data[frame * 2 + side]) continue;
    const at = (j, k) => DATA.landmarks.px.data[((frame * 2 + side) * 21 + j) * 2 + k];
    const x = (j) => left + (at(j, 0) + 0.5) * scale, y = (j) => top + (at(j, 1) + 0.5) * scale;
    context.strokeStyle = context.fillStyle = SIDE_COLORS[side];
    context.lineWidth = 2;
    context.beginPath();
    for (const [a, b] of BONES) { context.moveTo(x(a), y(a)); context.lineTo(x(b), y(b)); }
    context.stroke();
    for (let j = 0; j < 21; j++) { context.beginPath(); context.arc(x(j), y(j), 2.5, 0, 7); context.fill(); }
  }
}
