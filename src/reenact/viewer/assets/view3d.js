// The 3D view: hands, robot, camera frustum, floor grid. The scene's axes are +Z up (or the first camera's own).
function makeView() {
  const canvas = $("view3d");
  const renderer = new THREE.WebGLRenderer({ canvas, antialias: true, preserveDrawingBuffer: true });
  renderer.setPixelRatio(window.devicePixelRatio || 1);
  const scene = new THREE.Scene();
  scene.background = new THREE.Color(0xf1efea);
  scene.add(new THREE.HemisphereLight(0xffffff, 0x9a9488, 1.8));
  const sun = new THREE.DirectionalLight(0xffffff, 1.6);
  const camera = new THREE.PerspectiveCamera(42, 1, 0.02, 50);
  const zUp = DATA.view.zUp;
  camera.up.set(0, zUp ? 0 : -1, zUp ? 1 : 0);
  sun.position.set(1, -1.5, 3);
  scene.add(sun);
  const controls = new THREE.OrbitControls(camera, canvas);
  controls.target.set(...DATA.view.target);
  camera.position.set(...DATA.view.eye);
  controls.update();
  if (zUp) {
    const grid = new THREE.GridHelper(4, 20, 0xb9b4a8, 0xd8d4ca).rotateX(Math.PI / 2);
    grid.position.set(DATA.view.target[0], DATA.view.target[1], DATA.view.floor);
    scene.add(grid);
  }
  scene.add(frustum());
  const showHands = DATA.hands ? makeHands(scene) : () => {};
  const showObjects = DATA.objects ? makeObjects(scene) : () => {};
  const showContacts = DATA.contacts ? makeContacts(scene) : () => {};
  const ego = DATA.ego ? makeEgo(scene) : null;
  const eyes = new THREE.PerspectiveCamera(60, 1, 0.02, 50);
  let inside = false;
  const robots = DATA.robots.map((robot) => makeRobot(scene, robot));
  function draw() {
    const width = canvas.clientWidth, height = canvas.clientHeight;
    renderer.setSize(width, height, false);
    const used = inside ? eyes : camera;
    used.aspect = width / Math.max(height, 1);
    if (inside) eyes.fov = fittedFov(used.aspect);
    used.updateProjectionMatrix();
    renderer.render(scene, used);
  }
  controls.addEventListener("change", draw);
  window.addEventListener("resize", draw);
  function show(frame, robotIndex) {
    showHands(frame);
    showObjects(frame);
    showContacts(frame);
    if (ego) { ego.show(frame, inside); ego.aim(eyes, frame); }
    robots.forEach((robot, i) => { robot.root.visible = i === robotIndex; if (i === robotIndex) robot.show(frame); });
    draw();
  }
  return { show, lookFromEyes: (on) => { inside = on && ego !== null; controls.enabled = !inside; } };
}

// The whole picture of the virtual camera is in view, whatever the canvas' shape.
function fittedFov(aspect) {
  const half = Math.tan((DATA.ego.fovYDeg * Math.PI) / 360), across = half * DATA.ego.aspect;
  return (360 / Math.PI) * Math.atan(Math.max(half, across / aspect));
}

// Where the camera stood in frame 0: four rays to the image corners.
function frustum() {
  const geometry = new THREE.BufferGeometry(), c = DATA.view.frustum, points = [];
  for (let i = 1; i < 5; i++) points.push(...c[0], ...c[i], ...c[i], ...c[(i % 4) + 1]);
  geometry.setAttribute("position", new THREE.Float32BufferAttribute(points, 3));
  return new THREE.LineSegments(geometry, new THREE.LineBasicMaterial({ color: 0x8a857a }));
}
