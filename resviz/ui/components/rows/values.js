// A unit's tensors as numbers: unpacked, added up as the network adds them, coloured, read at one position, and worded.
import { clamp } from "../common.js";
import { along } from "../evidence/maps.js";

function floats(packed) {
  const bytes = Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
  return new Float32Array(bytes.buffer);
}

// Every row's values by its name, channel after channel: 32 bits added to 32 bits are what the network itself makes of them.
export function tensorsOf(data) {
  const found = { F: floats(data.F) };
  if (data.x) {
    found.x = floats(data.x);
    found.sum = found.F.map((f, i) => f + found.x[i]);
  }
  if (data.after) found.after = floats(data.after);
  return found;
}

// A channel's pixels as bytes, or what is asked for of them: the hue says the sign and fades with the size.
export function coloured(values, from, count, top, painting) {
  const pixels = new Uint8ClampedArray(4 * count);
  for (let i = 0; i < count; i++) {
    const v = clamp(values[from + i] / top, -1, 1);
    const [r, g, b] = v < 0 ? painting.negative : painting.positive[0];
    pixels.set([r, g, b, 255 * along(painting.fading, Math.abs(v))], 4 * i);
  }
  return pixels;
}

// What stands at a place of every row: `nth` is which of the shown channels.
export function valuesAt(tensors, [height, width], { nth, row, column }) {
  const i = (nth * height + row) * width + column;
  return Object.fromEntries(Object.entries(tensors).map(([name, values]) => [name, values[i]]));
}

// Numbers that are added up have equally many decimals, four digits of the largest.
export function worded(values) {
  const most = Math.max(...values.map(Math.abs));
  const decimals = most > 0 ? clamp(3 - Math.floor(Math.log10(most)), 0, 9) : 1;
  return values.map((v) =>
    v
      .toFixed(decimals)
      .replace(/^-(?=[0.]*$)/, "")
      .replace("-", "−"),
  );
}

// The place after a key was pressed; the same one where the key means nothing.
export function moved(at, key, [height, width], count) {
  const [dr, dc, dn] = {
    ArrowUp: [-1, 0, 0],
    ArrowDown: [1, 0, 0],
    ArrowLeft: [0, -1, 0],
    ArrowRight: [0, 1, 0],
    PageUp: [0, 0, -1],
    PageDown: [0, 0, 1],
  }[key] ?? [0, 0, 0];
  return {
    nth: clamp(at.nth + dn, 0, count - 1),
    row: clamp(at.row + dr, 0, height - 1),
    column: clamp(at.column + dc, 0, width - 1),
  };
}
