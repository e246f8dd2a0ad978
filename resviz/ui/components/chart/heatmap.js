// A heatmap of steps × layers: its cells are bytes, 0 an exact zero, 1 to 253 the scale, 254 what is not finite.
import { clamp, element } from "../common.js";
import { scale } from "./axes.js";

const LAST = 252; // the scale's steps, of which the first is the byte 1

// Cells arrive as base64, colours as CSS, of which a picture's bytes need the theme's own.
export function unpacked(heat, dark = false) {
  return {
    ...heat,
    cells: Uint8Array.from(atob(heat.cells), (c) => c.charCodeAt(0)),
    colours: heat.colours.map((css) => {
      const hex = css.match(/#\w{6}/g).at(dark ? -1 : 0);
      return [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
    }),
  };
}

// The last recorded step at or before a value, looked for from a step on.
export function stepAt(heat, v, from = 0) {
  let index = from;
  while (index < heat.x.length - 1 && heat.x[index + 1] <= v) index++;
  return index;
}

// For each column of pixels the step that it shows, or -1 outside; a step lasts until the next one that was recorded.
export function columnsOf(heat, x0, x1, wide) {
  const count = heat.x.length;
  const after = 2 * heat.x[count - 1] - (heat.x[count - 2] ?? heat.x[count - 1] - 1);
  let at = 0;
  return Array.from({ length: wide }, (_, i) => {
    const v = x0 + ((i + 0.5) / wide) * (x1 - x0);
    at = stepAt(heat, v, at);
    return v < heat.x[0] || v >= after ? -1 : at;
  });
}

// {row, index} of the cell at a value and a row, or null.
export function cellAt(heat, v, row, end) {
  if (row < 0 || row >= heat.names.length || v < heat.x[0] || v > end) return null;
  return { row, index: stepAt(heat, v) };
}

// A cell's value in words.
export function told(heat, { row, index }) {
  const byte = heat.cells[row * heat.x.length + index];
  if (byte === 0) return "exactly 0";
  if (byte === 254) return "∞ or NaN";
  const power = heat.range[0] + ((byte - 1) / LAST) * (heat.range[1] - heat.range[0]);
  return `≈ ${(10 ** power).toExponential(1)}`;
}

// The picture's bytes, (rows, wide, 4), the last name's row on top.
export function pixelsOf(heat, columns) {
  const rows = heat.names.length;
  const wide = columns.length;
  const pixels = new Uint8ClampedArray(4 * rows * wide);
  columns.forEach((at, i) => {
    if (at < 0) return;
    for (let row = 0; row < rows; row++) {
      const colour = heat.colours[heat.cells[row * heat.x.length + at]];
      const to = 4 * ((rows - 1 - row) * wide + i);
      for (let part = 0; part < 3; part++) pixels[to + part] = colour[part];
      pixels[to + 3] = 255;
    }
  });
  return pixels;
}

function imageOf(heat, { box, py, x0, x1 }) {
  const rows = heat.names.length;
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(box.right - box.left));
  canvas.height = rows;
  const pixels = pixelsOf(heat, columnsOf(heat, x0, x1, canvas.width));
  canvas.getContext("2d").putImageData(new ImageData(pixels, canvas.width, rows), 0, 0);
  const top = py(rows - 0.5);
  const place = { x: box.left, y: top, width: canvas.width, height: py(-0.5) - top };
  return element("image", { href: canvas.toDataURL(), ...place, class: "heat", preserveAspectRatio: "none" });
}

function barOf(heat, box) {
  const nodes = [];
  const place = scale(...heat.range, box.bottom, box.top);
  const piece = (box.bottom - box.top) / 64;
  for (let i = 0; i < 64; i++) {
    const colour = heat.colours[1 + Math.round((i / 63) * LAST)];
    nodes.push(
      element("rect", {
        x: box.right + 8,
        width: 10,
        y: box.bottom - (i + 1) * piece,
        height: piece + 0.5,
        fill: `rgb(${colour})`,
      }),
    );
  }
  for (const [v, text] of heat.ticks) nodes.push(element("text", { x: box.right + 21, y: place(v) + 4, class: "tick" }, text));
  return nodes;
}

// What the chart asks of its heatmap. A cursor without an index is a whole row, which another figure points at.
export function heatmapOf(data, dark) {
  const heat = unpacked(data.heat, dark);
  return {
    margin: (_, type) => 5.4 * type,
    below(view) {
      view.plot.append(imageOf(heat, view));
      view.svg.append(...barOf(heat, view.box));
    },
    nearest: (view, x, y) => cellAt(heat, view.px.back(x), Math.round(view.py.back(y)), view.x1),
    moved(cursor, right, up) {
      const from = cursor ?? { row: 0, index: 0 };
      const row = clamp(from.row + up, 0, heat.names.length - 1);
      return { row, index: clamp((from.index ?? 0) + right, 0, heat.x.length - 1) };
    },
    named(name) {
      const row = heat.names.indexOf(name);
      return row < 0 ? null : { row };
    },
    nameOf: (cursor) => heat.names[cursor.row],
    mark(view, cursor) {
      view.band.setAttribute("visibility", cursor ? "visible" : "hidden");
      if (!cursor) return null;
      const top = view.py(cursor.row + 0.5);
      view.band.setAttribute("y", top);
      view.band.setAttribute("height", Math.max(1, view.py(cursor.row - 0.5) - top));
      if (cursor.index === undefined) return null;
      const step = heat.x[cursor.index];
      return {
        x: view.px(step),
        y: top,
        head: `${heat.names[cursor.row]} · ${data.x?.title || "step"} ${step}`,
        rows: [{ text: told(heat, cursor) }],
      };
    },
    kept({ row, index }) {
      if (row >= heat.names.length) return null;
      return index === undefined ? { row } : { row, index: Math.min(index, heat.x.length - 1) };
    },
  };
}
