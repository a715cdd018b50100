// Reads the payload: JSON with typed arrays as {dtype, shape, b64}. Everything else gets plain values and views.
"use strict";
const DTYPES = { float32: Float32Array, uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array, int16: Int16Array };

function revive(value) {
  if (Array.isArray(value)) return value.map(revive);
  if (value === null || typeof value !== "object") return value;
  if (value.b64 !== undefined) {
    const raw = atob(value.b64), bytes = new Uint8Array(raw.length);
    for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
    return { shape: value.shape, data: new DTYPES[value.dtype](bytes.buffer) };
  }
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, revive(v)]));
}

const DATA = revive(JSON.parse(document.getElementById("payload").textContent));
const COUNT = DATA.clip.count;
const SIDE_COLORS = ["#1f77b4", "#d2691e"];
const SOURCE_NAMES = ["unknown", "observed", "filled", "smoothed", "simulated", "truth"];
const SOURCE_COLORS = ["#e4e1da", "#2e7d4f", "#e0a800", "#5b9bd5", "#8e6bbf", "#444444"];
const BONES = [[0,1],[1,2],[2,3],[3,4],[0,5],[5,6],[6,7],[7,8],[0,9],[9,10],[10,11],[11,12],[0,13],[13,14],[14,15],[15,16],[0,17],[17,18],[18,19],[19,20],[5,9],[9,13],[13,17]];
const $ = (id) => document.getElementById(id);

function element(tag, text, parent) {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (parent) parent.appendChild(node);
  return node;
}

// Canvas at device resolution; returns its context and size in CSS pixels.
function fitCanvas(canvas) {
  const ratio = window.devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
  if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
  if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}
