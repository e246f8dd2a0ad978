// Lines with markers: what they look like, and which point is meant.
import { clamp, element } from "../common.js";

const SYMBOLS = {
  circle: (r) => `M${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`,
  square: (r) => `M${-r} ${-r}h${2 * r}v${2 * r}h${-2 * r}z`,
  cross: (r) => `M${-r} ${-r}L${r} ${r}M${-r} ${r}L${r} ${-r}`,
  triangle: (r) => `M0 ${-r}L${r} ${r}H${-r}z`,
};
const MOST_MARKERS = 400;
const GRASP = 40; // pixels from a point within which it is meant

// An SVG path with a gap wherever a value is null.
export function pathOf(series, px, py) {
  let d = "";
  let pen = "M";
  series.y.forEach((v, i) => {
    if (v === null) {
      pen = "M";
      return;
    }
    d += `${pen}${px(series.x[i]).toFixed(1)} ${py(v).toFixed(1)}`;
    pen = "L";
  });
  return d;
}

// {series, index} of the point that a place in pixels means, or null; a place beside counts more than one above.
export function nearest(every, hidden, px, py, x, y) {
  let best = null;
  let least = GRASP ** 2;
  every.forEach((series, s) => {
    if (hidden.has(series.name) || !series.names.length) return;
    series.y.forEach((v, i) => {
      if (v === null) return;
      const far = (px(series.x[i]) - x) ** 2 + 0.25 * (py(v) - y) ** 2;
      if (far < least) {
        least = far;
        best = { series: s, index: i };
      }
    });
  });
  return best;
}

// What every line that can be seen says of one name: {text, color}.
export function rowsAt(every, hidden, name) {
  return every
    .filter((series) => series.legend && !hidden.has(series.name) && series.names.includes(name))
    .map((series) => ({ text: `${series.name}: ${series.values[series.names.indexOf(name)]}`, color: series.color }));
}

// The point beside the cursor's on its line; without a cursor the first of the first line that has names.
export function stepped(every, cursor, step) {
  const first = every.findIndex((series) => series.names.length);
  const s = cursor?.series ?? Math.max(0, first);
  const series = every[s];
  return series?.x.length ? { series: s, index: clamp((cursor?.index ?? -step) + step, 0, series.x.length - 1) } : null;
}

// The first line's point of that name that has a place.
export function named(every, name) {
  for (let s = 0; s < every.length; s++) {
    const index = name ? every[s].names.indexOf(name) : -1;
    if (index >= 0 && every[s].y[index] !== null) return { series: s, index };
  }
  return null;
}

export function strokeOf(series) {
  return {
    stroke: series.color,
    "stroke-width": series.width,
    "stroke-dasharray": series.dash || undefined,
    opacity: series.opacity ?? undefined,
  };
}

function markersOf(series, s, { px, py, x0, x1 }) {
  const nodes = [];
  series.y.forEach((v, i) => {
    if (v === null || series.x[i] < x0 || series.x[i] > x1) return;
    const open = series.symbols[i] === "cross";
    nodes.push(
      element("path", {
        d: SYMBOLS[series.symbols[i]](series.sizes[i] / 2),
        fill: open ? "none" : series.mark,
        stroke: series.mark,
        "stroke-width": open ? 1.8 : 0,
        transform: `translate(${px(series.x[i]).toFixed(1)} ${py(v).toFixed(1)})`,
        class: "point",
        "data-series": s,
        "data-index": i,
        "data-name": series.names[i],
      }),
    );
  });
  return nodes;
}

// What the chart asks of its lines; `hidden` holds the names that the legend switched off.
export function linesOf(data, hidden) {
  const every = data.series;
  return {
    margin: 1.2,
    above(view) {
      every.forEach((series, s) => {
        if (hidden.has(series.name)) return;
        const line = { d: pathOf(series, view.px, view.py), class: "line", "data-series": series.name, fill: "none" };
        view.plot.append(element("path", { ...line, ...strokeOf(series) }));
        const seen = series.x.filter((v) => v >= view.x0 && v <= view.x1).length;
        if (series.markers && seen < MOST_MARKERS) view.plot.append(...markersOf(series, s, view));
      });
    },
    nearest: (view, x, y) => nearest(every, hidden, view.px, view.py, x, y),
    moved: (cursor, right) => (right ? stepped(every, cursor, right) : null),
    named: (name) => named(every, name),
    nameOf: (cursor) => every[cursor.series]?.names[cursor.index],
    mark(view, cursor) {
      view.ring.setAttribute("visibility", cursor ? "visible" : "hidden");
      if (!cursor) return null;
      const series = every[cursor.series];
      const x = view.px(series.x[cursor.index]);
      const y = view.py(series.y[cursor.index]);
      view.ring.setAttribute("cx", x);
      view.ring.setAttribute("cy", y);
      const name = series.names[cursor.index];
      return { x, y, head: name, rows: rowsAt(every, hidden, name) };
    },
    kept: (cursor) => (cursor.index < (every[cursor.series]?.x.length ?? 0) ? cursor : null),
  };
}
