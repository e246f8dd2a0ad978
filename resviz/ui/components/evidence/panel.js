// A photograph with a map of evidence on it, drawn on a canvas; all of a group zoom, pan, wipe and point together.
function unpackMap(data) {
  const bytes = Uint8Array.from(atob(data.cells), (c) => c.charCodeAt(0));
  const whole = new Int16Array(bytes.buffer);
  const values = Float32Array.from(whole, (v) => (v / 32767) * data.peak);
  const shown = values.map((v) => clamp(v / data.top, -1, 1));
  const smooth = smoothed(shown, data.side, data.sigma);
  return { ...data, values, shown, smooth, sorted: smooth.slice().sort(), strengths: values.map(Math.abs).sort() };
}

// Gaussian, edges repeated: what a contour or a mask goes by, since a map of single pixels has no parts.
function smoothed(values, n, sigma) {
  const reach = Math.floor(3 * sigma + 0.5);
  const weights = Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-0.5 * ((i - reach) / sigma) ** 2));
  const total = weights.reduce((a, b) => a + b, 0);
  const along = (from, step, across) => {
    const to = new Float32Array(n * n);
    for (let line = 0; line < n; line++) {
      for (let i = 0; i < n; i++) {
        let sum = 0;
        for (let k = -reach; k <= reach; k++) sum += weights[k + reach] * from[line * across + clamp(i + k, 0, n - 1) * step];
        to[line * across + i * step] = sum / total;
      }
    }
    return to;
  };
  return along(along(values, 1, n), n, 1);
}

function percentileOf(sorted, percent) {
  const place = (percent / 100) * (sorted.length - 1), low = Math.floor(place);
  return sorted[low] + (sorted[Math.min(low + 1, sorted.length - 1)] - sorted[low]) * (place - low);
}

function below(sorted, value) {
  let low = 0, high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low / sorted.length;
}

// The map's own pixels, coloured; the canvas is as large as the network's input.
function paint(map, look, colours) {
  const layer = document.createElement("canvas");
  layer.width = layer.height = map.side;
  const context = layer.getContext("2d");
  const image = context.createImageData(map.side, map.side);
  const at = look.style === "masked" ? percentileOf(map.sorted, look.percentile) : 0;
  map.shown.forEach((v, i) => {
    const strength = Math.abs(v);
    let colour, alpha;
    if (look.style === "masked") [colour, alpha] = [colours.grey, map.smooth[i] >= at ? 0 : 1];
    else if (look.style === "heat") {
      colour = colours.heat[Math.round(strength * (colours.heat.length - 1))];
      alpha = look.opacity * (colours.floor + (1 - colours.floor) * strength);
    } else {
      colour = v >= 0 ? colours.positive : colours.negative;
      alpha = look.opacity * (strength < 0.5 ? 1.2 * strength : 0.2 + 0.8 * strength);
    }
    image.data.set([...colour, Math.round(255 * alpha)], 4 * i);
  });
  context.putImageData(image, 0, 0);
  return layer;
}

// Marching squares between the pixels' centres, as an SVG path in the map's pixels.
function outline(map, percent) {
  const n = map.side, at = percentileOf(map.sorted, percent), v = map.smooth;
  const between = (a, b) => (at - a) / (b - a || 1);
  let d = "";
  for (let r = 0; r < n - 1; r++) {
    for (let c = 0; c < n - 1; c++) {
      const [a, b, e, f] = [v[r * n + c], v[r * n + c + 1], v[(r + 1) * n + c + 1], v[(r + 1) * n + c]];
      const inside = (a >= at) + 2 * (b >= at) + 4 * (e >= at) + 8 * (f >= at);
      if (inside === 0 || inside === 15) continue;
      const x = c + 0.5, y = r + 0.5;
      const top = [x + between(a, b), y], right = [x + 1, y + between(b, e)], bottom = [x + between(f, e), y + 1], left = [x, y + between(a, f)];
      const lines = { 1: [left, top], 14: [left, top], 2: [top, right], 13: [top, right], 4: [right, bottom], 11: [right, bottom], 8: [bottom, left],
        7: [bottom, left], 3: [left, right], 12: [left, right], 6: [top, bottom], 9: [top, bottom], 5: [left, top, right, bottom], 10: [top, right, bottom, left] }[inside];
      for (let i = 0; i < lines.length; i += 2) d += `M${lines[i].map((p) => p.toFixed(2)).join(" ")}L${lines[i + 1].map((p) => p.toFixed(2)).join(" ")}`;
    }
  }
  return d;
}

// Three digits with their sign; very small and large ones as 2.3×10⁻⁴.
function written(v) {
  if (v === 0) return "0";
  const size = Math.abs(v), sign = v > 0 ? "+" : "−";
  if (size >= 1e-3 && size < 1e4) return sign + Number(size.toPrecision(3));
  const [digits, power] = size.toExponential(1).split("e");
  return `${sign}${digits}×10${[...power.replace("+", "")].map((c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]).join("")}`;
}

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".panel");
  if (unchanged(root, data)) return root.end;
  root.tidy?.();
  const [stage, canvas, wipe, read] = [".stage", "canvas", ".wipe", ".read"].map((part) => root.querySelector(part));
  const group = groupOf(data.group, data.look);
  const map = data.map && unpackMap(data.map);
  const photo = new Image();
  let pixels = null, layer, layerKey, path, pathKey;
  root.querySelector(".name").textContent = root.querySelector(".name").title = data.title;
  canvas.setAttribute("aria-label", `${data.alt}. Arrow keys read a pixel, plus and minus zoom.`);
  wipe.hidden = !map;
  root.classList.toggle("waiting", data.waiting);

  function layerOf() {
    const key = JSON.stringify([group.look.style, group.look.opacity, group.look.percentile]);
    if (key !== layerKey) [layer, layerKey] = [paint(map, group.look, data.colours), key];
    return layer;
  }

  function pathOf() {
    if (pathKey !== group.look.percentile) [path, pathKey] = [outline(map, group.look.percentile), group.look.percentile];
    return path;
  }

  // Draws what is seen into a square of that many pixels.
  function picture(context, size, pointed) {
    const scale = group.zoom * size, dx = size / 2 - group.x * scale, dy = size / 2 - group.y * scale;
    context.imageSmoothingEnabled = scale / data.side < 24;
    context.imageSmoothingQuality = "high";
    context.drawImage(photo, dx, dy, scale, scale);
    if (map) {
      context.save();
      context.beginPath();
      context.rect(0, 0, group.look.wipe * size, size);
      context.clip();
      if (group.look.style === "contour") {
        const line = new Path2D();
        line.addPath(new Path2D(pathOf()), new DOMMatrix([scale / map.side, 0, 0, scale / map.side, dx, dy]));
        for (const [width, colour] of [[5, "rgba(255,255,255,.8)"], [2.4, data.colours.line]]) {
          context.lineWidth = (width * size) / 300;
          context.strokeStyle = colour;
          context.stroke(line);
        }
      } else context.drawImage(layerOf(), dx, dy, scale, scale);
      context.restore();
    }
    if (!pointed || !group.at) return;
    const cell = scale / data.side, x = dx + Math.floor(group.at.u * data.side) * cell, y = dy + Math.floor(group.at.v * data.side) * cell;
    for (const [width, colour] of [[3, "rgba(0,0,0,.55)"], [1.3, "#FFFFFF"]]) {
      context.lineWidth = width * devicePixelRatio;
      context.strokeStyle = colour;
      context.strokeRect(x - 2, y - 2, cell + 4, cell + 4);
    }
  }

  function draw() {
    const width = stage.clientWidth;
    if (!width || !photo.complete || !photo.naturalWidth) return;
    const size = Math.round(width * devicePixelRatio);
    if (canvas.width !== size) canvas.width = canvas.height = size;
    picture(canvas.getContext("2d"), size, true);
    canvas.style.touchAction = group.zoom > 1 ? "none" : "pan-y";
    wipe.style.left = `${100 * group.look.wipe}%`;
    wipe.style.setProperty("--at", group.look.wipe);
    wipe.setAttribute("aria-valuenow", Math.round(100 * group.look.wipe));
    tellPixel();
  }

  function tellPixel() {
    if (!group.at) {
      read.textContent = data.note;
      return;
    }
    const column = Math.floor(group.at.u * data.side), row = Math.floor(group.at.v * data.side);
    if (map) {
      const value = map.values[row * map.side + column];
      read.textContent = `${written(value)}, stronger than ${Math.round(100 * below(map.strengths, Math.abs(value)))} % of the map`;
    } else if (pixels) {
      const p = 4 * (Math.floor(group.at.v * photo.naturalHeight) * photo.naturalWidth + Math.floor(group.at.u * photo.naturalWidth));
      read.textContent = `row ${row}, column ${column}: rgb(${pixels[p]}, ${pixels[p + 1]}, ${pixels[p + 2]})`;
    }
  }

  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    const u = group.x + ((event.clientX - box.left) / box.width - 0.5) / group.zoom;
    const v = group.y + ((event.clientY - box.top) / box.height - 0.5) / group.zoom;
    return { u: clamp(u, 0, 0.9999), v: clamp(v, 0, 0.9999) };
  };
  const point = (at) => {
    group.at = at;
    tell(group);
  };
  const touching = new Map();
  let span = 0;
  canvas.onpointerdown = (event) => {
    touching.set(event.pointerId, event);
    if (group.zoom > 1 || touching.size > 1) canvas.setPointerCapture(event.pointerId);
    point(place(event));
  };
  canvas.onpointermove = (event) => {
    const before = touching.get(event.pointerId);
    if (before) touching.set(event.pointerId, event);
    if (touching.size === 2) {
      const [a, b] = [...touching.values()], now = Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
      if (span) zoomBy(group, now / span, (place(a).u + place(b).u) / 2, (place(a).v + place(b).v) / 2);
      span = now;
    } else if (before && group.zoom > 1) {
      const width = canvas.clientWidth * group.zoom;
      group.x -= (event.clientX - before.clientX) / width;
      group.y -= (event.clientY - before.clientY) / width;
      settle(group);
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
  const wheel = (event) => {
    if (!event.ctrlKey && !event.metaKey) return; // the page scrolls
    event.preventDefault();
    const at = place(event);
    zoomBy(group, Math.exp(-event.deltaY / 200), at.u, at.v);
  };
  canvas.addEventListener("wheel", wheel, { passive: false });
  canvas.onkeydown = (event) => {
    const step = (event.shiftKey ? 8 : 1) / data.side, at = group.at ?? { u: group.x, v: group.y };
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    const factor = { "+": 1.5, "=": 1.5, "-": 1 / 1.5, 0: 0 }[event.key];
    if (moves[event.key]) point({ u: clamp(at.u + moves[event.key][0], 0, 0.9999), v: clamp(at.v + moves[event.key][1], 0, 0.9999) });
    else if (factor !== undefined) zoomBy(group, factor, at.u, at.v);
    else if (event.key === "Escape") point(null);
    else return;
    event.preventDefault();
  };
  canvas.onblur = () => point(null);

  const setWipe = (share) => {
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
    if (wipe.hasPointerCapture(event.pointerId)) setWipe((event.clientX - box.left) / box.width);
  };
  wipe.onkeydown = (event) => {
    const to = { ArrowLeft: group.look.wipe - 0.02, ArrowRight: group.look.wipe + 0.02, Home: 0, End: 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    setWipe(to);
  };

  root.querySelector(".png").onclick = () => {
    const file = document.createElement("canvas");
    file.width = file.height = 896;
    picture(file.getContext("2d"), 896, false);
    file.toBlob((blob) => save(`${data.file}.png`, blob), "image/png");
  };
  root.querySelector(".svg").onclick = () => {
    const n = 448, side = n / group.zoom;
    const svg = element("svg", { xmlns: NS, viewBox: `${n * group.x - side / 2} ${n * group.y - side / 2} ${side} ${side}`, width: n, height: n });
    svg.append(element("title", {}, `${data.title}. ${data.alt}`), element("image", { href: photo.src, width: n, height: n }));
    if (map) {
      const clip = element("clipPath", { id: "wipe" });
      clip.append(element("rect", { x: n * group.x - side / 2, y: 0, width: side * group.look.wipe, height: n }));
      const shown = element("g", { "clip-path": "url(#wipe)" });
      if (group.look.style === "contour") shown.append(element("path", { d: pathOf(), transform: `scale(${n / map.side})`, fill: "none", stroke: data.colours.line, "stroke-width": map.side / 150 }));
      else shown.append(element("image", { href: layerOf().toDataURL(), width: n, height: n }));
      svg.append(clip, shown);
    }
    saveSvg(new XMLSerializer().serializeToString(svg), data.file);
  };

  photo.onload = () => {
    const sheet = document.createElement("canvas");
    [sheet.width, sheet.height] = [photo.naturalWidth, photo.naturalHeight];
    const context = sheet.getContext("2d", { willReadFrequently: true });
    context.drawImage(photo, 0, 0);
    pixels = context.getImageData(0, 0, sheet.width, sheet.height).data;
    draw();
    root.dataset.drawn = data.key;
  };
  photo.src = data.photo;
  group.members.add(draw);
  const still = onResize(stage, draw);
  root.tidy = () => {
    group.members.delete(draw);
    canvas.removeEventListener("wheel", wheel);
    still();
  };
  root.end = () => {
    root.tidy();
    root.drawn = null;
  };
  return root.end;
}
