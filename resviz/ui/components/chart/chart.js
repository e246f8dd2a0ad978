// Draws lines or a heatmap on two axes as SVG and redraws in place: a remounted Plotly chart takes some 400 ms.
import {
  announce,
  clamp,
  colour,
  element,
  inLight,
  isDark,
  mount,
  NS,
  onAnnounced,
  onResize,
  savePng,
  saveSvg,
  typeSize,
} from "../common.js";
import { beside, scale, ticksOf, uncrowded } from "./axes.js";
import { heatmapOf } from "./heatmap.js";
import { linesOf, strokeOf } from "./lines.js";

const ABOVE = 24; // pixels over a saved figure for its legend

function axesOf(data, { svg, box, px, py, x0, x1, y0, y1, height }) {
  for (const [v, text] of ticksOf(data.y, y0, y1, (box.bottom - box.top) / 44)) {
    svg.append(element("line", { x1: box.left, x2: box.right, y1: py(v), y2: py(v), class: "grid" }));
    svg.append(element("text", { x: box.left - 8, y: py(v) + 4, "text-anchor": "end" }, text));
  }
  const ticks = ticksOf(data.x, x0, x1, (box.right - box.left) / 70);
  for (const [v] of ticks) svg.append(element("line", { x1: px(v), x2: px(v), y1: box.top, y2: box.bottom, class: "grid" }));
  for (const [v, text] of uncrowded(ticks, px, typeSize()))
    svg.append(element("text", { x: px(v), y: box.bottom + 1.3 * typeSize(), "text-anchor": "middle" }, text));
  const title = { "text-anchor": "middle", class: "title" };
  svg.append(element("text", { ...title, x: (box.left + box.right) / 2, y: height - 6 }, data.x.title));
  const turned = `translate(${typeSize()} ${(box.top + box.bottom) / 2}) rotate(-90)`;
  svg.append(element("text", { ...title, x: 0, y: 0, transform: turned }, data.y.title));
}

function bandsAndRulesOf(data, { plot, box, px, py }) {
  for (const band of data.bands) {
    const width = Math.max(1, px(band.x1) - px(band.x0));
    plot.append(
      element("rect", {
        x: px(band.x0),
        width,
        y: box.top,
        height: box.bottom - box.top,
        fill: band.color,
        "fill-opacity": 0.18,
      }),
    );
  }
  for (const line of data.lines) {
    const level = { x1: box.left, x2: box.right, y1: py(line.y), y2: py(line.y) };
    const at = line.x === undefined ? level : { x1: px(line.x), x2: px(line.x), y1: box.top, y2: box.bottom };
    plot.append(
      element("line", { ...at, stroke: line.color, "stroke-width": 1.5, "stroke-dasharray": line.dash ? "3 3" : undefined }),
    );
  }
}

function notesOf(data, { svg, box, px, py, x0, x1 }) {
  for (const note of data.notes) {
    if (note.x === undefined) {
      const y = py(note.y) < 28 ? py(note.y) + 17 : py(note.y) - 4;
      svg.append(element("text", { x: box.right - 4, y, "text-anchor": "end", class: "note" }, note.text));
    } else if (note.x >= x0 && note.x <= x1) {
      const mark = element(
        "text",
        { x: px(note.x), y: 16, "text-anchor": "middle", class: "mark", "data-mark": note.x },
        note.text,
      );
      mark.append(element("title", {}, note.hint));
      svg.append(mark);
    }
  }
}

// An empty figure with its scales and everything that moves over it.
function viewOf(data, plotted, zoom, width) {
  const height = data.height;
  const marked = data.notes.some((note) => note.x !== undefined);
  const type = typeSize();
  const right = width - plotted.margin(width, type);
  const longest = Math.max(0, ...(data.y.ticks ?? []).map(([, text]) => text.length));
  const box = {
    left: Math.max(5 * type, 0.58 * type * longest + 12),
    right,
    top: marked ? type + 10 : 10,
    bottom: height - 3.4 * type,
  };
  const [x0, x1] = zoom ?? data.x.range;
  const [y0, y1] = data.y.range;
  const tall = box.bottom - box.top;
  const clip = element("clipPath", { id: `clip-${data.key}` });
  clip.append(element("rect", { x: box.left, y: box.top - 1, width: box.right - box.left + 6, height: tall + 2 }));
  const svg = element("svg", {
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
    role: "img",
    "aria-label": data.alt,
    tabindex: 0,
  });
  const defs = element("defs", {});
  defs.append(clip);
  svg.append(defs);
  return {
    ...{ svg, box, width, height, x0, x1, y0, y1, type },
    px: scale(x0, x1, box.left, box.right),
    py: scale(y0, y1, box.bottom, box.top),
    plot: element("g", { "clip-path": `url(#clip-${data.key})` }),
    band: element("rect", { x: box.left, width: box.right - box.left, class: "row", visibility: "hidden" }),
    ring: element("circle", { r: 7, class: "ring", visibility: "hidden" }),
    drag: element("rect", { y: box.top, height: tall, class: "drag", visibility: "hidden" }),
  };
}

function drawnView(data, plotted, zoom, width) {
  const view = viewOf(data, plotted, zoom, width);
  axesOf(data, view);
  view.svg.append(view.plot);
  plotted.below?.(view);
  bandsAndRulesOf(data, view);
  plotted.above?.(view);
  notesOf(data, view);
  view.svg.append(view.band, view.ring, view.drag);
  return view;
}

function legendOf(data, hidden, toggle) {
  return data.series
    .filter((series) => series.legend)
    .map((series) => {
      const button = document.createElement("button");
      button.className = hidden.has(series.name) ? "off" : "";
      button.setAttribute("aria-pressed", String(!hidden.has(series.name)));
      button.title = "Show or hide this line";
      const sample = element("svg", { width: 26, height: 10 });
      sample.append(element("path", { d: "M0 5H26", ...strokeOf(series) }));
      if (series.markers) sample.append(element("circle", { cx: 13, cy: 5, r: 3.5, fill: series.mark }));
      button.append(sample, series.name);
      button.onclick = () => toggle(series.name);
      return button;
    });
}

// The figure as it is zoomed, on paper, with the legend above it.
function fileOf(data, view, hidden, paint) {
  const copy = view.svg.cloneNode(true);
  copy.setAttribute("xmlns", NS);
  copy.setAttribute("viewBox", `0 ${-ABOVE} ${view.width} ${view.height + ABOVE}`);
  copy.setAttribute("height", view.height + ABOVE);
  const rules = [
    `text{font:14px system-ui,sans-serif;fill:${paint("ink")}}`,
    `.heat{image-rendering:pixelated}.row{display:none}.grid{stroke:${paint("stroke")}}.ring,.drag{display:none}`,
  ];
  const paper = element("rect", { y: -ABOVE, width: "100%", height: "100%", fill: paint("paper") });
  copy.prepend(element("style", {}, rules.join("")), paper);
  let x = 62;
  for (const series of data.series.filter((s) => s.legend && !hidden.has(s.name))) {
    copy.append(element("path", { d: `M${x} -10h24`, ...strokeOf(series) }));
    copy.append(element("text", { x: x + 30, y: -6 }, series.name));
    x += 50 + 8 * series.name.length;
  }
  return inLight(new XMLSerializer().serializeToString(copy));
}

function showTip(tip, found, view) {
  tip.style.visibility = found ? "visible" : "hidden";
  if (!found) return;
  const head = document.createElement("b");
  head.textContent = found.head;
  const rows = found.rows.map(({ text, color }) => {
    const row = Object.assign(document.createElement("div"), { textContent: text });
    if (color) row.style.borderLeft = `3px solid ${color}`;
    return row;
  });
  tip.replaceChildren(head, ...rows);
  tip.style.left = `${beside(found.x, tip.offsetWidth, view.width)}px`;
  tip.style.top = `${Math.max(0, found.y - 20)}px`;
}

// Dragging across zooms, a click chooses what it is nearest to.
function listenToPointer(view, { point, zoom, choose, nearest }) {
  const { svg, box, drag, px } = view;
  const local = (event) => event.clientX - svg.getBoundingClientRect().left;
  let start = null;
  svg.addEventListener("pointermove", (event) => {
    if (start === null || !event.buttons) {
      point(nearest(event));
      return;
    }
    const [a, b] = [start, local(event)].sort((p, q) => p - q);
    drag.setAttribute("x", a);
    drag.setAttribute("width", Math.max(0, b - a));
    drag.setAttribute("visibility", b - a > 6 ? "visible" : "hidden");
  });
  svg.addEventListener("pointerleave", () => point(null));
  svg.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "mouse") start = local(event);
  });
  svg.addEventListener("pointerup", (event) => {
    const from = start;
    const to = local(event);
    start = null;
    if (from === null || Math.abs(to - from) <= 6) choose(nearest(event));
    else zoom([Math.min(from, to), Math.max(from, to)].map((x) => px.back(clamp(x, box.left, box.right))));
  });
  svg.addEventListener("dblclick", () => zoom(null));
  svg.addEventListener("blur", () => point(null));
}

function draw(parts, data, send) {
  const { root, tip, legend } = parts;
  root.memory ??= { zoom: null, hidden: new Set(), cursor: null }; // what a redraw must not lose
  const { memory } = root;
  if (memory.span !== data.x.span) memory.zoom = null;
  memory.span = data.x.span;
  const plottedIn = (dark) => (data.heat ? heatmapOf(data, dark) : linesOf(data, memory.hidden));
  const plotted = plottedIn(data.dark);
  let view;

  function point(cursor, tell = true) {
    memory.cursor = cursor && plotted.kept(cursor); // what is pointed at stays while the data change
    showTip(tip, plotted.mark(view, memory.cursor), view);
    if (tell) announce(memory.cursor ? plotted.nameOf(memory.cursor) : "", root);
  }
  function zoom(range) {
    memory.zoom = range;
    redraw();
  }
  function choose(cursor) {
    if (cursor && data.select) send(plotted.nameOf(cursor));
    else point(cursor);
  }
  function nearest(event) {
    const at = view.svg.getBoundingClientRect();
    return plotted.nearest(view, event.clientX - at.left, event.clientY - at.top);
  }
  function onKey(event) {
    const right = { ArrowRight: 1, ArrowLeft: -1 }[event.key] ?? 0;
    const up = { ArrowUp: 1, ArrowDown: -1 }[event.key] ?? 0;
    const moved = right || up ? plotted.moved(memory.cursor, right, up) : null;
    if (moved) point(moved);
    else if (event.key === "Enter" && memory.cursor && data.select) send(plotted.nameOf(memory.cursor));
    else if (event.key === "Escape") zoom(null);
    else return;
    event.preventDefault();
  }
  function redraw() {
    const width = Math.max(240, root.clientWidth);
    legend.replaceChildren(...legendOf(data, memory.hidden, toggle));
    parts.wrap.classList.toggle("named", Boolean(plotted.ends?.(width, typeSize())));
    view = drawnView(data, plotted, memory.zoom, width);
    root.replaceChildren(view.svg);
    listenToPointer(view, { point, zoom, choose, nearest });
    view.svg.addEventListener("keydown", onKey);
    if (memory.cursor) point(memory.cursor, false);
  }
  function toggle(name) {
    if (!memory.hidden.delete(name)) memory.hidden.add(name);
    redraw();
  }

  redraw();
  const file = () => {
    const light = drawnView(data, plottedIn(false), memory.zoom, view.width);
    return fileOf(data, light, memory.hidden, (name) => colour(root, name));
  };
  parts.reset.onclick = () => zoom(null);
  parts.svg.onclick = () => saveSvg(file(), `resviz-${data.key}`);
  parts.png.onclick = () => savePng(file(), `resviz-${data.key}`, view.width, view.height + ABOVE);
  const quiet = onAnnounced(root, (name) => point(plotted.named(name), false));
  const still = onResize(root, redraw);
  return () => {
    still();
    quiet();
  };
}

export default function ({ parentElement, data, setTriggerValue }) {
  const part = (name) => parentElement.querySelector(`.${name}`);
  const parts = {
    wrap: part("wrap"),
    root: part("chart"),
    tip: part("tooltip"),
    legend: part("legend"),
    reset: part("reset"),
    svg: part("svg"),
    png: part("png"),
  };
  const themed = { ...data, dark: isDark(parts.root) };
  return mount(parts.root, themed, () => draw(parts, themed, (name) => setTriggerValue("clicked", name)));
}
