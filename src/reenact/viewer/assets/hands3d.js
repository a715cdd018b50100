// Hands in 3D: our own skin, moved by linear blending of its bones' affine moves (reenact.hands.skinning).
function makeHands(parent) {
  const skins = DATA.hands.skin.map((skin, side) => {
    const geometry = new THREE.BufferGeometry();
    const count = skin.rest.data.length / 3;
    geometry.setAttribute("position", new THREE.BufferAttribute(new Float32Array(count * 3), 3));
    geometry.setIndex(new THREE.BufferAttribute(skin.faces.data, 1));
    const material = new THREE.MeshStandardMaterial({ color: side === 0 ? 0xdba687 : 0xd99b78, roughness: 0.75 });
    const mesh = new THREE.Mesh(geometry, material);
    mesh.frustumCulled = false;
    parent.add(mesh);
    return { mesh, skin, count, side };
  });
  return function show(frame) {
    for (const { mesh, skin, count, side } of skins) {
      const row = frame * 2 + side;
      mesh.visible = DATA.hands.valid.data[row] === 1;
      if (!mesh.visible) continue;
      const filled = DATA.hands.source.data[row] === 2;
      mesh.material.transparent = filled;
      mesh.material.opacity = filled ? 0.45 : 1.0;
      blendSkin(mesh.geometry, skin, count, DATA.hands.moves.data, row);
    }
  };
}

function blendSkin(geometry, skin, count, moves, row) {
  const out = geometry.attributes.position.array, rest = skin.rest.data;
  const width = skin.boneIdx.shape[1], bones = DATA.hands.moves.shape[2], start = row * bones * 12;
  for (let v = 0; v < count; v++) {
    const x = rest[3 * v], y = rest[3 * v + 1], z = rest[3 * v + 2];
    let ox = 0, oy = 0, oz = 0;
    for (let k = 0; k < width; k++) {
      const w = skin.boneWeight.data[v * width + k];
      if (w === 0) continue;
      const m = start + skin.boneIdx.data[v * width + k] * 12;
      ox += w * (moves[m] * x + moves[m + 1] * y + moves[m + 2] * z + moves[m + 3]);
      oy += w * (moves[m + 4] * x + moves[m + 5] * y + moves[m + 6] * z + moves[m + 7]);
      oz += w * (moves[m + 8] * x + moves[m + 9] * y + moves[m + 10] * z + moves[m + 11]);
    }
    out[3 * v] = ox; out[3 * v + 1] = oy; out[3 * v + 2] = oz;
  }
  geometry.attributes.position.needsUpdate = true;
  geometry.computeVertexNormals();
}
