// A photograph with a map of evidence on it, drawn on a canvas; all of a group zoom, pan, wipe and point together.
import { clamp, element, mount, NS, onResize, save, saveSvg } from "../common.js";
import { groupOf, moveBy, tell, zoomBy } from "./group.js";
import { below, greyed, LUMA, outline, pixelsOf, unpacked, written } from "./maps.js";

const FILE = 896; // pixels of a saved PNG's side
const SHEET = 448; // units of a saved SVG's
const BEFORE_END = 0.9999; // the last place that is still inside the picture

// The value made anew whenever its key has changed.
export function kept(keyOf, make) {
  let key;
  let value;
  return () => {
    const now = keyOf();
    if (now !== key) [key, value] = [now, make()];
    return value;
  };
}

function sheetOf(pixels, width, height) {
  const sheet = document.createElement("canvas");
  [sheet.width, sheet.height] = [width, height];
  sheet.getContext("2d").putImageData(new ImageData(pixels, width, height), 0, 0);
  return sheet;
}

// A file's photograph once more, through a filter that takes its colours.
function greyOf(svg) {
  const filter = element("filter", { id: "grey", "color-interpolation-filters": "sRGB" });
  const row = `${LUMA.join(" ")} 0 0`;
  filter.append(element("feColorMatrix", { values: `${row} ${row} ${row} 0 0 0 1 0` }));
  svg.append(filter);
  return element("use", { href: "#photograph", filter: "url(#grey)" });
}

// Everything that a picture is drawn from.
function sceneOf(data) {
  const group = groupOf(data.group, data.look);
  const map = data.map && unpacked(data.map, data.painting);
  return {
    ...{ data, group, map },
    photo: new Image(),
    pixels: null, // the photograph's bytes, as soon as it is there
    grey: null, // and the photograph without its colours, which lies under a map
    layer: kept(
      () => JSON.stringify([group.look.style, group.look.opacity, group.look.percentile]),
      () => sheetOf(pixelsOf(map, group.look, data.painting), map.side, map.side),
    ),
    path: kept(
      () => group.look.percentile,
      () => outline(map, group.look.percentile),
    ),
  };
}

function drawMap(scene, context, size, scale, dx, dy) {
  const { data, group, map } = scene;
  context.save();
  context.beginPath();
  context.rect(0, 0, group.look.wipe * size, size);
  context.clip();
  if (data.painting.grey.includes(group.look.style)) context.drawImage(scene.grey, dx, dy, scale, scale);
  if (group.look.style === "contour") {
    const line = new Path2D();
    line.addPath(new Path2D(scene.path()), new DOMMatrix([scale / map.side, 0, 0, scale / map.side, dx, dy]));
    const strokes = [
      [5, "rgba(255,255,255,.8)"],
      [2.4, data.painting.line],
    ];
    for (const [width, colour] of strokes) {
      context.lineWidth = (width * size) / 300;
      context.strokeStyle = colour;
      context.stroke(line);
    }
  } else context.drawImage(scene.layer(), dx, dy, scale, scale);
  context.restore();
}

function drawPointer({ data, group }, context, scale, dx, dy) {
  const cell = scale / data.side;
  const x = dx + Math.floor(group.at.u * data.side) * cell;
  const y = dy + Math.floor(group.at.v * data.side) * cell;
  const strokes = [
    [3, "rgba(0,0,0,.55)"],
    [1.3, "white"],
  ];
  for (const [width, colour] of strokes) {
    context.lineWidth = width * devicePixelRatio;
    context.strokeStyle = colour;
    context.strokeRect(x - 2, y - 2, cell + 4, cell + 4);
  }
}

// Draws what is seen into a square of that many pixels.
function drawPicture(scene, context, size, pointed) {
  const { data, group, map, photo } = scene;
  const scale = group.zoom * size;
  const dx = size / 2 - group.x * scale;
  const dy = size / 2 - group.y * scale;
  context.imageSmoothingEnabled = scale / data.side < 24;
  context.imageSmoothingQuality = "high";
  context.drawImage(photo, dx, dy, scale, scale);
  if (map) drawMap(scene, context, size, scale, dx, dy);
  if (pointed && group.at) drawPointer(scene, context, scale, dx, dy);
}

function fileOf(scene) {
  const { data, group, map, photo } = scene;
  const n = SHEET;
  const side = n / group.zoom;
  const left = n * group.x - side / 2;
  const svg = element("svg", { xmlns: NS, viewBox: `${left} ${n * group.y - side / 2} ${side} ${side}`, width: n, height: n });
  svg.append(
    element("title", {}, `${data.title}. ${data.alt}`),
    element("image", { id: "photograph", href: photo.src, width: n, height: n }),
  );
  if (map) {
    const clip = element("clipPath", { id: "wipe" });
    clip.append(element("rect", { x: left, y: 0, width: side * group.look.wipe, height: n }));
    const shown = element("g", { "clip-path": "url(#wipe)" });
    if (data.painting.grey.includes(group.look.style)) shown.append(greyOf(svg));
    const line = {
      fill: "none",
      stroke: data.painting.line,
      "stroke-width": map.side / 150,
      transform: `scale(${n / map.side})`,
    };
    if (group.look.style === "contour") shown.append(element("path", { d: scene.path(), ...line }));
    else shown.append(element("image", { href: scene.layer().toDataURL(), width: n, height: n }));
    svg.append(clip, shown);
  }
  return new XMLSerializer().serializeToString(svg);
}

// What is said under the picture: of the pixel that is pointed at, otherwise the picture's note.
export function readingOf(scene) {
  const { data, group, map, photo } = scene;
  if (!group.at) return data.note;
  const column = Math.floor(group.at.u * data.side);
  const row = Math.floor(group.at.v * data.side);
  if (map) {
    const value = map.values[row * map.side + column];
    return `${written(value)}, stronger than ${Math.round(100 * below(map.strengths, Math.abs(value)))} % of the map`;
  }
  const { naturalWidth: width, naturalHeight: height } = photo;
  const p = 4 * (Math.floor(group.at.v * height) * width + Math.floor(group.at.u * width));
  return `row ${row}, column ${column}: rgb(${scene.pixels[p]}, ${scene.pixels[p + 1]}, ${scene.pixels[p + 2]})`;
}

function pixelsOfPhoto(photo) {
  const sheet = document.createElement("canvas");
  [sheet.width, sheet.height] = [photo.naturalWidth, photo.naturalHeight];
  const context = sheet.getContext("2d", { willReadFrequently: true });
  context.drawImage(photo, 0, 0);
  return context.getImageData(0, 0, sheet.width, sheet.height).data;
}

// Pointing, dragging, pinching and the wheel; returns what ends the listening that a redraw does not replace.
function listenToCanvas(canvas, { data, group }) {
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    const u = group.x + ((event.clientX - box.left) / box.width - 0.5) / group.zoom;
    const v = group.y + ((event.clientY - box.top) / box.height - 0.5) / group.zoom;
    return { u: clamp(u, 0, BEFORE_END), v: clamp(v, 0, BEFORE_END) };
  };
  const point = (at) => {
    group.at = at;
    tell(group);
  };
  const touching = new Map();
  let span = 0;
  const pinch = ([a, b]) => {
    const now = Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
    if (span) zoomBy(group, now / span, (place(a).u + place(b).u) / 2, (place(a).v + place(b).v) / 2);
    span = now;
  };
  canvas.onpointerdown = (event) => {
    touching.set(event.pointerId, event);
    if (group.zoom > 1 || touching.size > 1) canvas.setPointerCapture(event.pointerId);
    point(place(event));
  };
  canvas.onpointermove = (event) => {
    const before = touching.get(event.pointerId);
    if (before) touching.set(event.pointerId, event);
    if (touching.size === 2) pinch([...touching.values()]);
    else if (before && group.zoom > 1) {
      const width = canvas.clientWidth * group.zoom;
      moveBy(group, (before.clientX - event.clientX) / width, (before.clientY - event.clientY) / width);
    } else point(place(event));
  };
  canvas.onpointerup = canvas.onpointercancel = (event) => {
    touching.delete(event.pointerId);
    span = 0;
  };
  canvas.onpointerleave = (event) => event.pointerType === "mouse" && point(null);
  canvas.ondblclick = (event) => {
    const at = place(event);
    zoomBy(group, 2, at.u, at.v);
  };
  canvas.onkeydown = (event) => onKey(event, data.side, group, point);
  canvas.onblur = () => point(null);
  const wheel = (event) => {
    if (!event.ctrlKey && !event.metaKey) return; // the page scrolls
    event.preventDefault();
    const at = place(event);
    zoomBy(group, Math.exp(-event.deltaY / 200), at.u, at.v);
  };
  canvas.addEventListener("wheel", wheel, { passive: false });
  return () => canvas.removeEventListener("wheel", wheel);
}

function onKey(event, side, group, point) {
  const step = (event.shiftKey ? 8 : 1) / side;
  const at = group.at ?? { u: group.x, v: group.y };
  const move = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
  const factor = { "+": 1.5, "=": 1.5, "-": 1 / 1.5, 0: 0 }[event.key];
  if (move) point({ u: clamp(at.u + move[0], 0, BEFORE_END), v: clamp(at.v + move[1], 0, BEFORE_END) });
  else if (factor !== undefined) zoomBy(group, factor, at.u, at.v);
  else if (event.key === "Escape") point(null);
  else return;
  event.preventDefault();
}

function listenToWipe(wipe, canvas, group) {
  const move = (share) => {
    group.look.wipe = clamp(share, 0, 1);
    tell(group);
  };
  wipe.onpointerdown = (event) => {
    wipe.setPointerCapture(event.pointerId);
    event.preventDefault();
    wipe.focus();
  };
  wipe.onpointermove = (event) => {
    const box = canvas.getBoundingClientRect();
    if (wipe.hasPointerCapture(event.pointerId)) move((event.clientX - box.left) / box.width);
  };
  wipe.onkeydown = (event) => {
    const to = { ArrowLeft: group.look.wipe - 0.02, ArrowRight: group.look.wipe + 0.02, Home: 0, End: 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    move(to);
  };
}

function listenToFiles(part, scene) {
  part(".png").onclick = () => {
    const file = document.createElement("canvas");
    file.width = file.height = FILE;
    drawPicture(scene, file.getContext("2d"), FILE, false);
    file.toBlob((blob) => save(`${scene.data.file}.png`, blob), "image/png");
  };
  part(".svg").onclick = () => saveSvg(fileOf(scene), scene.data.file);
}

function show(root, data) {
  const part = (selector) => root.querySelector(selector);
  const [stage, canvas, wipe] = [part(".stage"), part("canvas"), part(".wipe")];
  const scene = sceneOf(data);
  const { group, photo } = scene;
  part(".name").textContent = part(".name").title = data.title;
  canvas.setAttribute("aria-label", `${data.alt}. Arrow keys read a pixel, plus and minus zoom.`);
  wipe.hidden = !scene.map;
  root.classList.toggle("waiting", data.waiting);

  function draw() {
    const width = stage.clientWidth;
    if (!width || !scene.pixels) return; // the photograph is still on its way
    const size = Math.round(width * devicePixelRatio);
    if (canvas.width !== size) canvas.width = canvas.height = size;
    drawPicture(scene, canvas.getContext("2d"), size, true);
    canvas.style.touchAction = group.zoom > 1 ? "none" : "pan-y";
    wipe.style.left = `${100 * group.look.wipe}%`;
    wipe.style.setProperty("--at", group.look.wipe);
    wipe.setAttribute("aria-valuenow", Math.round(100 * group.look.wipe));
    part(".read").textContent = readingOf(scene);
  }

  photo.onload = () => {
    scene.pixels = pixelsOfPhoto(photo);
    scene.grey = sheetOf(greyed(scene.pixels), photo.naturalWidth, photo.naturalHeight);
    draw();
    root.dataset.drawn = data.key;
  };
  photo.src = data.photo;
  group.members.add(draw);
  const deaf = listenToCanvas(canvas, scene);
  listenToWipe(wipe, canvas, group);
  listenToFiles(part, scene);
  const still = onResize(stage, draw);
  return () => {
    group.members.delete(draw);
    deaf();
    still();
  };
}

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".panel");
  return mount(root, data, () => show(root, data));
}
