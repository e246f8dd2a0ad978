// Draws the lines or the heatmap of a Plotly figure as SVG and redraws in place: a remounted Plotly chart takes some 400 ms.
function ticksOf(axis, from, to, room) {
  if (axis.ticks) return axis.ticks.filter(([v]) => v >= from - 1e-9 && v <= to + 1e-9);
  const rough = (to - from) / Math.max(2, room);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough);
  const ticks = [];
  for (let v = Math.ceil(from / step) * step; v <= to + step * 1e-6; v += step) {
    ticks.push([v, String(Number(v.toPrecision(8)))]);
  }
  return ticks;
}

const SYMBOLS = {
  circle: (r) => `M${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`,
  square: (r) => `M${-r} ${-r}h${2 * r}v${2 * r}h${-2 * r}z`,
  cross: (r) => `M${-r} ${-r}L${r} ${r}M${-r} ${r}L${r} ${-r}`,
  triangle: (r) => `M0 ${-r}L${r} ${r}H${-r}z`,
};

// Cells arrive as base64, colours as hex: 0 is an exact zero, 1 to 253 the scale, 254 what is not finite.
function unpack(heat) {
  if (typeof heat.cells !== "string") return;
  heat.cells = Uint8Array.from(atob(heat.cells), (c) => c.charCodeAt(0));
  heat.colours = heat.colours.map((c) => [1, 3, 5].map((i) => parseInt(c.slice(i, i + 2), 16)));
}

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".chart");
  const tip = parentElement.querySelector(".tooltip");
  const legend = parentElement.querySelector(".legend");
  if (unchanged(root, data)) return root.end;
  const memory = (root.memory ??= { zoom: null, hidden: new Set() }); // what a redraw must not lose
  root.tidy?.();
  if (memory.span !== data.x.span) memory.zoom = null;
  memory.span = data.x.span;
  // the point under the pointer or the keyboard, {series, index} or {row, index}, kept while the data changes
  let cursor = memory.cursor ?? null;
  let view;
  if (data.heat) unpack(data.heat);

  function draw() {
    const width = Math.max(240, root.clientWidth), height = data.height;
    const marked = data.notes.some((note) => note.x !== undefined);
    const box = { left: 62, right: width - (data.heat ? 64 : 10), top: marked ? 22 : 10, bottom: height - 44 };
    const [x0, x1] = memory.zoom ?? data.x.range;
    const [y0, y1] = data.y.range;
    const px = (v) => box.left + ((v - x0) / (x1 - x0)) * (box.right - box.left);
    const py = (v) => box.bottom - ((v - y0) / (y1 - y0)) * (box.bottom - box.top);
    const svg = element("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": data.alt, tabindex: 0 });
    const clip = `clip-${data.key}`;
    const defs = element("defs", {});
    const path = element("clipPath", { id: clip });
    path.append(element("rect", { x: box.left, y: box.top - 1, width: box.right - box.left + 6, height: box.bottom - box.top + 2 }));
    defs.append(path);
    svg.append(defs);
    for (const [v, text] of ticksOf(data.y, y0, y1, (box.bottom - box.top) / 44)) {
      svg.append(element("line", { x1: box.left, x2: box.right, y1: py(v), y2: py(v), class: "grid" }));
      svg.append(element("text", { x: box.left - 8, y: py(v) + 4, "text-anchor": "end" }, text));
    }
    let edge = -Infinity;
    for (const [v, text] of ticksOf(data.x, x0, x1, (box.right - box.left) / 70)) {
      svg.append(element("line", { x1: px(v), x2: px(v), y1: box.top, y2: box.bottom, class: "grid" }));
      const half = text.length * 3.6;
      if (px(v) - half < edge) continue; // a label never overlaps its neighbour
      edge = px(v) + half + 6;
      svg.append(element("text", { x: px(v), y: box.bottom + 17, "text-anchor": "middle" }, text));
    }
    svg.append(element("text", { x: (box.left + box.right) / 2, y: height - 6, "text-anchor": "middle", class: "title" }, data.x.title));
    const yTitle = { x: 0, y: 0, "text-anchor": "middle", class: "title", transform: `translate(13 ${(box.top + box.bottom) / 2}) rotate(-90)` };
    svg.append(element("text", yTitle, data.y.title));
    const plot = element("g", { "clip-path": `url(#${clip})` });
    svg.append(plot);
    if (data.heat) drawHeat(svg, plot, box, px, py, x0, x1);
    for (const band of data.bands) {
      plot.append(element("rect", { x: px(band.x0), width: Math.max(1, px(band.x1) - px(band.x0)), y: box.top, height: box.bottom - box.top,
        fill: band.color, "fill-opacity": 0.18 }));
    }
    for (const line of data.lines) {
      const at = line.x === undefined ? { x1: box.left, x2: box.right, y1: py(line.y), y2: py(line.y) } : { x1: px(line.x), x2: px(line.x), y1: box.top, y2: box.bottom };
      plot.append(element("line", { ...at, stroke: line.color, "stroke-width": 1.5, "stroke-dasharray": line.dash ? "3 3" : undefined }));
    }
    data.series.forEach((series, s) => {
      if (memory.hidden.has(series.name)) return;
      let d = "", pen = "M";
      series.y.forEach((v, i) => {
        if (v === null) { pen = "M"; return; }
        d += `${pen}${px(series.x[i]).toFixed(1)} ${py(v).toFixed(1)}`;
        pen = "L";
      });
      plot.append(element("path", { d, class: "line", "data-series": series.name, stroke: series.color, fill: "none", "stroke-width": series.width,
        "stroke-dasharray": series.dash || undefined, opacity: series.opacity ?? undefined }));
      const seen = series.x.filter((v) => v >= x0 && v <= x1).length;
      if (series.markers && seen < 400) {
        series.y.forEach((v, i) => {
          if (v === null || series.x[i] < x0 || series.x[i] > x1) return;
          const open = series.symbols[i] === "cross";
          plot.append(element("path", { d: SYMBOLS[series.symbols[i]](series.sizes[i] / 2), fill: open ? "none" : series.color, stroke: series.color,
            "stroke-width": open ? 1.8 : 0, transform: `translate(${px(series.x[i]).toFixed(1)} ${py(v).toFixed(1)})`, class: "point",
            "data-series": s, "data-index": i, "data-name": series.names[i] }));
        });
      }
    });
    for (const note of data.notes) {
      if (note.x !== undefined) {
        if (note.x < x0 || note.x > x1) continue;
        const mark = element("text", { x: px(note.x), y: 14, "text-anchor": "middle", class: "mark", "data-mark": note.x }, note.text);
        mark.append(element("title", {}, note.hint));
        svg.append(mark);
        continue;
      }
      svg.append(element("text", { x: box.right - 4, y: py(note.y) < 24 ? py(note.y) + 15 : py(note.y) - 4, "text-anchor": "end", fill: note.color, class: "note" }, note.text));
    }
    const band = element("rect", { x: box.left, width: box.right - box.left, class: "row", visibility: "hidden" });
    svg.append(band);
    const ring = element("circle", { r: 7, class: "ring", visibility: "hidden" });
    const drag = element("rect", { y: box.top, height: box.bottom - box.top, class: "drag", visibility: "hidden" });
    svg.append(ring, drag);
    root.replaceChildren(svg);
    view = { svg, box, px, py, x0, x1, ring, drag, band, width, height };
    listen();
    if (cursor) point(cursor, false);
  }

  // The cells go into a picture as wide as the plot: a step lasts until the next one that was recorded.
  function drawHeat(svg, plot, box, px, py, x0, x1) {
    const heat = data.heat, wide = Math.max(1, Math.round(box.right - box.left)), rows = heat.names.length;
    const canvas = document.createElement("canvas");
    canvas.width = wide;
    canvas.height = rows;
    const paint = canvas.getContext("2d"), image = paint.createImageData(wide, rows);
    const count = heat.x.length, after = 2 * heat.x[count - 1] - (heat.x[count - 2] ?? heat.x[count - 1] - 1);
    let at = 0;
    for (let i = 0; i < wide; i++) {
      const v = x0 + ((i + 0.5) / wide) * (x1 - x0);
      while (at < count - 1 && heat.x[at + 1] <= v) at++;
      if (v < heat.x[0] || v >= after) continue;
      for (let row = 0; row < rows; row++) {
        const colour = heat.colours[heat.cells[row * count + at]];
        const to = 4 * ((rows - 1 - row) * wide + i);
        image.data[to] = colour[0];
        image.data[to + 1] = colour[1];
        image.data[to + 2] = colour[2];
        image.data[to + 3] = 255;
      }
    }
    paint.putImageData(image, 0, 0);
    const top = py(rows - 0.5), bottom = py(-0.5);
    plot.append(element("image", { href: canvas.toDataURL(), x: box.left, y: top, width: wide, height: bottom - top, class: "heat", preserveAspectRatio: "none" }));
    const [low, high] = heat.range, scale = (v) => box.bottom - ((v - low) / (high - low)) * (box.bottom - box.top);
    const piece = (box.bottom - box.top) / 64;
    for (let i = 0; i < 64; i++) {
      const c = heat.colours[1 + Math.round((i / 63) * 252)];
      svg.append(element("rect", { x: box.right + 8, width: 10, y: box.bottom - (i + 1) * piece, height: piece + 0.5, fill: `rgb(${c})` }));
    }
    for (const [v, text] of heat.ticks) svg.append(element("text", { x: box.right + 21, y: scale(v) + 4, class: "tick" }, text));
  }

  function cell(event) {
    const at = view.svg.getBoundingClientRect(), heat = data.heat;
    const { box } = view;
    const v = view.x0 + ((event.clientX - at.left - box.left) / (box.right - box.left)) * (view.x1 - view.x0);
    const row = Math.round(((box.bottom - (event.clientY - at.top)) / (box.bottom - box.top)) * heat.names.length - 0.5);
    if (row < 0 || row >= heat.names.length || v < heat.x[0] || v > view.x1) return null;
    let index = 0;
    while (index < heat.x.length - 1 && heat.x[index + 1] <= v) index++;
    return { row, index };
  }

  function pointCell(at, tell = true) {
    cursor = memory.cursor = at;
    view.band.setAttribute("visibility", at ? "visible" : "hidden");
    tip.style.visibility = at && at.index !== undefined ? "visible" : "hidden";
    if (!at) { if (tell) announce("", root); return; }
    const heat = data.heat, name = heat.names[at.row];
    const top = view.py(at.row + 0.5);
    view.band.setAttribute("y", top);
    view.band.setAttribute("height", Math.max(1, view.py(at.row - 0.5) - top));
    if (at.index !== undefined) {
      at.index = Math.min(at.index, heat.x.length - 1);
      const byte = heat.cells[at.row * heat.x.length + at.index];
      const power = heat.range[0] + ((byte - 1) / 252) * (heat.range[1] - heat.range[0]);
      const value = byte === 0 ? "exactly 0" : byte === 254 ? "∞ or NaN" : `≈ ${(10 ** power).toExponential(1)}`;
      const head = document.createElement("b");
      head.textContent = `${name} · step ${heat.x[at.index]}`;
      tip.replaceChildren(head, Object.assign(document.createElement("div"), { textContent: value }));
      const x = view.px(heat.x[at.index]);
      tip.style.left = `${x + 14 + tip.offsetWidth > view.width ? Math.max(0, x - tip.offsetWidth - 14) : x + 14}px`;
      tip.style.top = `${Math.max(0, top - 20)}px`;
    }
    if (tell) announce(name, root);
  }

  function drawLegend() {
    legend.replaceChildren(...data.series.filter((s) => s.legend).map((series) => {
      const button = document.createElement("button");
      button.className = memory.hidden.has(series.name) ? "off" : "";
      button.setAttribute("aria-pressed", String(!memory.hidden.has(series.name)));
      button.title = "Show or hide this line";
      const sample = element("svg", { width: 26, height: 10 });
      sample.append(element("path", { d: "M0 5H26", stroke: series.color, "stroke-width": series.width, "stroke-dasharray": series.dash || undefined, opacity: series.opacity ?? undefined }));
      button.append(sample, series.name);
      button.onclick = () => {
        if (!memory.hidden.delete(series.name)) memory.hidden.add(series.name);
        drawLegend();
        draw();
      };
      return button;
    }));
  }

  function nearest(event) {
    if (data.heat) return cell(event);
    const at = view.svg.getBoundingClientRect();
    const x = event.clientX - at.left, y = event.clientY - at.top;
    let best = null, least = 40 ** 2;
    data.series.forEach((series, s) => {
      if (memory.hidden.has(series.name) || !series.names.length) return;
      series.y.forEach((v, i) => {
        if (v === null) return;
        const far = (view.px(series.x[i]) - x) ** 2 + 0.25 * (view.py(v) - y) ** 2;
        if (far < least) { least = far; best = { series: s, index: i }; }
      });
    });
    return best;
  }

  function point(at, tell = true) {
    if (data.heat) return pointCell(at, tell);
    cursor = memory.cursor = at;
    view.ring.setAttribute("visibility", at ? "visible" : "hidden");
    tip.style.visibility = at ? "visible" : "hidden";
    if (!at) { if (tell) announce("", root); return; }
    const series = data.series[at.series];
    if (!series || at.index >= series.x.length) { cursor = memory.cursor = null; return; }
    const x = view.px(series.x[at.index]), y = view.py(series.y[at.index]);
    view.ring.setAttribute("cx", x);
    view.ring.setAttribute("cy", y);
    const lines = [document.createElement("b")];
    lines[0].textContent = series.names[at.index];
    for (const other of data.series) {
      const i = other.names.indexOf(series.names[at.index]);
      if (i < 0 || memory.hidden.has(other.name) || !other.legend) continue;
      const line = document.createElement("div");
      line.textContent = `${other.name}: ${other.values[i]}`;
      line.style.borderLeft = `3px solid ${other.color}`;
      lines.push(line);
    }
    tip.replaceChildren(...lines);
    const wide = tip.offsetWidth;
    tip.style.left = `${x + 14 + wide > view.width ? Math.max(0, x - wide - 14) : x + 14}px`;
    tip.style.top = `${Math.max(0, y - 20)}px`;
    if (tell) announce(series.names[at.index], root);
  }

  function listen() {
    const { svg, box, drag } = view;
    let start = null;
    const toData = (x) => view.x0 + ((Math.min(box.right, Math.max(box.left, x)) - box.left) / (box.right - box.left)) * (view.x1 - view.x0);
    const local = (event) => event.clientX - svg.getBoundingClientRect().left;
    svg.addEventListener("pointermove", (event) => {
      if (start !== null && event.buttons) {
        const [a, b] = [start, local(event)].sort((p, q) => p - q);
        drag.setAttribute("x", a);
        drag.setAttribute("width", Math.max(0, b - a));
        drag.setAttribute("visibility", b - a > 6 ? "visible" : "hidden");
        return;
      }
      point(nearest(event));
    });
    svg.addEventListener("pointerleave", () => point(null));
    svg.addEventListener("pointerdown", (event) => {
      if (event.pointerType === "mouse") start = local(event);
    });
    svg.addEventListener("pointerup", (event) => {
      const from = start, to = local(event);
      start = null;
      if (from !== null && Math.abs(to - from) > 6) {
        memory.zoom = [toData(Math.min(from, to)), toData(Math.max(from, to))];
        draw();
      } else {
        const at = nearest(event);
        if (at && data.select) setTriggerValue("clicked", data.heat ? data.heat.names[at.row] : data.series[at.series].names[at.index]);
        else point(at);
      }
    });
    svg.addEventListener("dblclick", reset);
    svg.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key], up = { ArrowUp: 1, ArrowDown: -1 }[event.key];
      if (data.heat && (step || up)) {
        const from = cursor ?? { row: 0, index: 0 }, within = (v, n) => Math.min(n - 1, Math.max(0, v));
        point({ row: within(from.row + (up ?? 0), data.heat.names.length), index: within((from.index ?? 0) + (step ?? 0), data.heat.x.length) });
      } else if (step) {
        const series = data.series[cursor?.series ?? 0];
        point({ series: cursor?.series ?? 0, index: Math.min(series.x.length - 1, Math.max(0, (cursor?.index ?? -step) + step)) });
      } else if (event.key === "Enter" && cursor && data.select) {
        setTriggerValue("clicked", data.heat ? data.heat.names[cursor.row] : data.series[cursor.series].names[cursor.index]);
      } else if (event.key === "Escape") reset();
      else return;
      event.preventDefault();
    });
    svg.addEventListener("blur", () => point(null));
  }

  function reset() {
    memory.zoom = null;
    draw();
  }

  function file() {
    const copy = view.svg.cloneNode(true);
    copy.setAttribute("xmlns", NS);
    const extra = 24;
    copy.setAttribute("viewBox", `0 ${-extra} ${view.width} ${view.height + extra}`);
    copy.setAttribute("height", view.height + extra);
    const style = element("style", {}, "text{font:12px system-ui,sans-serif;fill:#1B2430}.heat{image-rendering:pixelated}.row{display:none}.grid{stroke:#D5DBE3}.ring,.drag{display:none}");
    copy.prepend(style, element("rect", { y: -extra, width: "100%", height: "100%", fill: "#FFFFFF" }));
    let x = 62;
    for (const series of data.series.filter((s) => s.legend && !memory.hidden.has(s.name))) {
      copy.append(element("path", { d: `M${x} -10h24`, stroke: series.color, "stroke-width": series.width, "stroke-dasharray": series.dash || undefined, opacity: series.opacity ?? undefined }));
      copy.append(element("text", { x: x + 30, y: -6 }, series.name));
      x += 50 + 7 * series.name.length;
    }
    return new XMLSerializer().serializeToString(copy);
  }

  drawLegend();
  draw();
  parentElement.querySelector(".reset").onclick = reset;
  parentElement.querySelector(".svg").onclick = () => saveSvg(file(), `resviz-${data.key}`);
  parentElement.querySelector(".png").onclick = () => savePng(file(), `resviz-${data.key}`, view.width, view.height + 24);
  const quiet = onAnnounced(root, (name) => {
    if (data.heat) {
      const row = data.heat.names.indexOf(name);
      return point(row < 0 ? null : { row }, false);
    }
    for (let s = 0; s < data.series.length; s++) {
      const index = name ? data.series[s].names.indexOf(name) : -1;
      if (index >= 0 && data.series[s].y[index] !== null) return point({ series: s, index }, false);
    }
    return point(null, false);
  });
  const still = onResize(root, draw);
  root.tidy = () => {
    still();
    quiet();
  };
  root.end = () => {
    root.tidy();
    root.drawn = null;
  };
  return root.end;
}
