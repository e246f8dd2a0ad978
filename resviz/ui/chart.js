// Draws the lines of a Plotly figure as SVG and redraws them in place: a remounted Plotly chart takes some 400 ms.
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

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".chart");
  const tip = parentElement.querySelector(".tooltip");
  const legend = parentElement.querySelector(".legend");
  const memory = (root.memory ??= { zoom: null, hidden: new Set() }); // what a redraw must not lose
  root.tidy?.();
  if (memory.span !== data.x.span) memory.zoom = null;
  memory.span = data.x.span;
  let cursor = null; // the point under the pointer or the keyboard: {series, index}
  let view;

  function draw() {
    const width = Math.max(240, root.clientWidth), height = data.height;
    const box = { left: 62, right: width - 10, top: 10, bottom: height - 44 };
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
      plot.append(element("path", { d, class: "line", "data-series": series.name, stroke: series.color, fill: "none", "stroke-width": 2,
        "stroke-dasharray": series.dash || undefined, opacity: series.opacity }));
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
      svg.append(element("text", { x: box.right - 4, y: py(note.y) < 24 ? py(note.y) + 15 : py(note.y) - 4, "text-anchor": "end", fill: note.color, class: "note" }, note.text));
    }
    const ring = element("circle", { r: 7, class: "ring", visibility: "hidden" });
    const drag = element("rect", { y: box.top, height: box.bottom - box.top, class: "drag", visibility: "hidden" });
    svg.append(ring, drag);
    root.replaceChildren(svg);
    view = { svg, box, px, py, x0, x1, ring, drag, width, height };
    listen();
    if (cursor) point(cursor, false);
  }

  function drawLegend() {
    legend.replaceChildren(...data.series.filter((s) => s.legend).map((series) => {
      const button = document.createElement("button");
      button.className = memory.hidden.has(series.name) ? "off" : "";
      button.setAttribute("aria-pressed", String(!memory.hidden.has(series.name)));
      button.title = "Show or hide this line";
      const sample = element("svg", { width: 26, height: 10 });
      sample.append(element("path", { d: "M0 5H26", stroke: series.color, "stroke-width": 2.5, "stroke-dasharray": series.dash || undefined }));
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
    const at = view.svg.getBoundingClientRect();
    const x = event.clientX - at.left, y = event.clientY - at.top;
    let best = null, least = 40 ** 2;
    data.series.forEach((series, s) => {
      if (memory.hidden.has(series.name)) return;
      series.y.forEach((v, i) => {
        if (v === null) return;
        const far = (view.px(series.x[i]) - x) ** 2 + 0.25 * (view.py(v) - y) ** 2;
        if (far < least) { least = far; best = { series: s, index: i }; }
      });
    });
    return best;
  }

  function point(at, tell = true) {
    cursor = at;
    view.ring.setAttribute("visibility", at ? "visible" : "hidden");
    tip.style.visibility = at ? "visible" : "hidden";
    if (!at) { if (tell) announce("", root); return; }
    const series = data.series[at.series];
    if (!series) { cursor = null; return; }
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
        if (at && data.select) setTriggerValue("clicked", data.series[at.series].names[at.index]);
        else point(at);
      }
    });
    svg.addEventListener("dblclick", reset);
    svg.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step) {
        const series = data.series[cursor?.series ?? 0];
        point({ series: cursor?.series ?? 0, index: Math.min(series.x.length - 1, Math.max(0, (cursor?.index ?? -step) + step)) });
      } else if (event.key === "Enter" && cursor && data.select) {
        setTriggerValue("clicked", data.series[cursor.series].names[cursor.index]);
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
    const style = element("style", {}, "text{font:12px system-ui,sans-serif;fill:#1B2430}.grid{stroke:#D5DBE3}.ring,.drag{display:none}");
    copy.prepend(style, element("rect", { y: -extra, width: "100%", height: "100%", fill: "#FFFFFF" }));
    let x = 62;
    for (const series of data.series.filter((s) => s.legend && !memory.hidden.has(s.name))) {
      copy.append(element("path", { d: `M${x} -10h24`, stroke: series.color, "stroke-width": 2.5, "stroke-dasharray": series.dash || undefined }));
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
    for (let s = 0; s < data.series.length; s++) {
      const index = name ? data.series[s].names.indexOf(name) : -1;
      if (index >= 0 && data.series[s].y[index] !== null) return point({ series: s, index }, false);
    }
    return point(null, false);
  });
  let last = root.clientWidth;
  const observer = new ResizeObserver(() => {
    if (Math.abs(root.clientWidth - last) < 4) return;
    last = root.clientWidth;
    draw();
  });
  observer.observe(root);
  root.tidy = () => {
    observer.disconnect();
    quiet();
  };
  return root.tidy;
}
