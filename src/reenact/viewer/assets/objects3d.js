// Objects in 3D: one mesh each, placed by its pose of the frame; dots where a hand touches; the virtual ego camera.
function makeObjects(parent) {
  const objects = DATA.objects;
  const meshes = objects.meshes.map((stored, k) => {
    if (!stored) return null;
    const material = new THREE.MeshStandardMaterial({ color: objects.colors[k], roughness: 0.6, side: THREE.DoubleSide, flatShading: true });
    const mesh = new THREE.Mesh(objectGeometry(stored), material);
    parent.add(mesh);
    return mesh;
  });
  return function show(frame) {
    const count = objects.names.length, p = objects.poses.data;
    meshes.forEach((mesh, k) => {
      if (!mesh) return;
      const row = frame * count + k, at = row * 7;
      mesh.visible = objects.valid.data[row] === 1;
      mesh.position.set(p[at], p[at + 1], p[at + 2]);
      mesh.quaternion.set(p[at + 4], p[at + 5], p[at + 6], p[at + 3]);
      const filled = objects.source.data[row] === 2;
      mesh.material.transparent = filled;
      mesh.material.opacity = filled ? 0.45 : 1.0;
    });
  };
}

function objectGeometry(stored) {
  const q = stored.vertices.data, out = new Float32Array(q.length);
  for (let i = 0; i < q.length; i++) out[i] = stored.low[i % 3] + (q[i] / 65535) * (stored.high[i % 3] - stored.low[i % 3]);
  const geometry = new THREE.BufferGeometry();
  geometry.setAttribute("position", new THREE.BufferAttribute(out, 3));
  geometry.setIndex(new THREE.BufferAttribute(stored.faces.data, 1));
  geometry.computeVertexNormals();
  return geometry;
}

function makeContacts(parent) {
  const contacts = DATA.contacts, dots = [];
  const geometry = new THREE.SphereGeometry(0.0105, 16, 12);
  const material = new THREE.MeshBasicMaterial({ color: contacts.color, transparent: true, opacity: 0.9, depthTest: false });
  for (let i = 0; i < 12; i++) { const dot = new THREE.Mesh(geometry, material); dot.renderOrder = 2; parent.add(dot); dots.push(dot); }
  return function show(frame) {
    dots.forEach((dot, i) => {
      const row = frame * 12 + i, p = contacts.places.data;
      dot.visible = contacts.object.data[row] > 0;
      dot.position.set(p[3 * row], p[3 * row + 1], p[3 * row + 2]);
    });
  };
}

// Its path and its four rays, in the scene; `aim` puts a three.js camera (which looks along -z, y up) in its place.
function makeEgo(parent) {
  const p = DATA.ego.poses.data, half = Math.tan((DATA.ego.fovYDeg * Math.PI) / 360), depth = 0.1;
  const corners = [[-1, -1], [1, -1], [1, 1], [-1, 1]].map(([x, y]) => [x * half * DATA.ego.aspect * depth, y * half * depth, depth]);
  const rays = [], path = [], root = new THREE.Group(), flip = new THREE.Quaternion(1, 0, 0, 0);
  corners.forEach((c, i) => rays.push(0, 0, 0, ...c, ...c, ...corners[(i + 1) % 4]));
  for (let i = 0; i < COUNT; i++) path.push(p[7 * i], p[7 * i + 1], p[7 * i + 2]);
  const line = (points, kind) => {
    const geometry = new THREE.BufferGeometry();
    geometry.setAttribute("position", new THREE.Float32BufferAttribute(points, 3));
    return new kind(geometry, new THREE.LineBasicMaterial({ color: 0x7a4896 }));
  };
  const frustum = line(rays, THREE.LineSegments);
  root.add(frustum, line(path, THREE.Line));
  parent.add(root);
  const place = (thing, frame) => {
    const at = 7 * frame;
    thing.position.set(p[at], p[at + 1], p[at + 2]);
    thing.quaternion.set(p[at + 4], p[at + 5], p[at + 6], p[at + 3]);
  };
  return {
    show: (frame, inside) => { root.visible = !inside; place(frustum, frame); },
    aim: (camera, frame) => { place(camera, frame); camera.quaternion.multiply(flip); },
  };
}
