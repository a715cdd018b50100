// Robots in 3D: each body a group of simple shapes, placed by the stored pose of its body in each frame.
function shapeGeometry(shape) {
  const [a, b, c] = shape.size;
  if (shape.type === "sphere") return new THREE.SphereGeometry(a, 24, 16);
  if (shape.type === "box") return new THREE.BoxGeometry(2 * a, 2 * b, 2 * c);
  if (shape.type === "ellipsoid") return new THREE.SphereGeometry(1, 24, 16).scale(a, b, c);
  if (shape.type === "mesh") {
    const geometry = new THREE.BufferGeometry();
    geometry.setAttribute("position", new THREE.BufferAttribute(shape.vertices.data, 3));
    geometry.setIndex(new THREE.BufferAttribute(shape.faces.data, 1));
    geometry.computeVertexNormals();
    return geometry;
  }
  // MuJoCo's capsules and cylinders lie along z, three's along y
  const round = shape.type === "capsule" ? new THREE.CapsuleGeometry(a, 2 * b, 8, 20) : new THREE.CylinderGeometry(a, a, 2 * b, 24);
  return round.rotateX(Math.PI / 2);
}

function makeRobot(parent, robot) {
  const root = new THREE.Group();
  parent.add(root);
  const bodies = [];
  for (let i = 0; i < robot.poses.shape[1]; i++) { const group = new THREE.Group(); root.add(group); bodies.push(group); }
  for (const shape of robot.shapes) {
    const [r, g, b, alpha] = shape.rgba;
    const material = new THREE.MeshStandardMaterial({ color: new THREE.Color(r, g, b), roughness: 0.55, metalness: 0.15, transparent: alpha < 1, opacity: alpha });
    const mesh = new THREE.Mesh(shapeGeometry(shape), material);
    mesh.position.set(...shape.pos);
    mesh.quaternion.set(shape.quat[1], shape.quat[2], shape.quat[3], shape.quat[0]);
    bodies[shape.body].add(mesh);
  }
  function show(frame) {
    const count = robot.poses.shape[1], p = robot.poses.data;
    for (let i = 0; i < count; i++) {
      const at = (frame * count + i) * 7;
      bodies[i].position.set(p[at], p[at + 1], p[at + 2]);
      bodies[i].quaternion.set(p[at + 4], p[at + 5], p[at + 6], p[at + 3]);
    }
  }
  return { root, show };
}
