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

// Places as near to the wanted ones as `gap` between two allows, none under `bottom` nor over `top`.
export function spread(wanted, gap, top, bottom) {
  const order = wanted.map((_, i) => i).sort((a, b) => wanted[a] - wanted[b]);
  const places = [...wanted];
  let least = top;
  for (const i of order) {
    places[i] = Math.max(places[i], least);
    least = places[i] + gap;
  }
  let most = bottom;
  for (const i of order.reverse()) {
    places[i] = Math.min(places[i], most);
    most = places[i] - gap;
  }
  return places;
}

// Names that stand at the ends of their lines; where there is no room for them, the legend says them.
export function ending(every, width, type) {
  const named = every.filter((series) => series.legend);
  const longest = Math.max(0, ...named.map((series) => series.name.length));
  return width >= 430 && named.length > 0 && named.length <= 6 && longest <= 26 ? (2.6 + 0.56 * longest) * type : 0;
}

function endsOf(every, hidden, { px, py, x1, box, type }) {
  const ends = every
    .filter((series) => series.legend && !hidden.has(series.name))
    .map((series) => ({ series, last: series.y.findLastIndex((v, i) => v !== null && series.x[i] <= x1) }))
    .filter(({ last }) => last >= 0);
  const places = spread(
    ends.map(({ series, last }) => py(series.y[last])),
    1.2 * type,
    box.top + 4,
    box.bottom,
  );
  return ends.flatMap(({ series, last }, i) => {
    const x = Math.min(px(series.x[last]), box.right) + 8;
    return [
      element("path", { d: `M${x} ${places[i]}h16`, ...strokeOf(series) }),
      element("text", { x: x + 20, y: places[i] + 4, class: "end" }, series.name),
    ];
  });
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
    margin: (width, type) => ending(every, width, type) || 1.2 * type,
    ends: (width, type) => ending(every, width, type) > 0,
    above(view) {
      every.forEach((series, s) => {
        if (hidden.has(series.name)) return;
        const line = { d: pathOf(series, view.px, view.py), class: "line", "data-series": series.name, fill: "none" };
        view.plot.append(element("path", { ...line, ...strokeOf(series) }));
        const seen = series.x.filter((v) => v >= view.x0 && v <= view.x1).length;
        if (series.markers && seen < MOST_MARKERS) view.plot.append(...markersOf(series, s, view));
      });
      if (ending(every, view.width, view.type)) view.svg.append(...endsOf(every, hidden, view));
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
