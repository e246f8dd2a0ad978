// A map of evidence as numbers: what is shown of it, where it is strongest, and its pixels' colours.
// `painting` is the server's, which draws the same into its files.
import { clamp } from "../common.js";

// Values arrive as 16 bits of the largest; `shown` is from -1 to 1, `smooth` is what a contour or a mask goes by.
export function unpacked(data, painting) {
  const bytes = Uint8Array.from(atob(data.cells), (c) => c.charCodeAt(0));
  const values = Float32Array.from(new Int16Array(bytes.buffer), (v) => (v / 32767) * data.peak);
  const shown = values.map((v) => clamp(v / data.top, -1, 1));
  const smooth = smoothed(shown, data.side, data.side * painting.smoothing, painting.reach);
  return { side: data.side, values, shown, smooth, sorted: smooth.slice().sort(), strengths: values.map(Math.abs).sort() };
}

// Gaussian, edges repeated: a map of single pixels has no parts.
export function smoothed(values, n, sigma, reach) {
  const far = Math.floor(reach * sigma + 0.5);
  const weights = Array.from({ length: 2 * far + 1 }, (_, i) => Math.exp(-0.5 * ((i - far) / sigma) ** 2));
  const total = weights.reduce((a, b) => a + b, 0);
  const along = (from, step, across) => {
    const to = new Float32Array(n * n);
    for (let line = 0; line < n; line++) {
      for (let i = 0; i < n; i++) {
        let sum = 0;
        for (let k = -far; k <= far; k++) sum += weights[k + far] * from[line * across + clamp(i + k, 0, n - 1) * step];
        to[line * across + i * step] = sum / total;
      }
    }
    return to;
  };
  return along(along(values, 1, n), n, 1);
}

// Between two of the values where the place falls between them.
export function percentileOf(sorted, percent) {
  const place = (percent / 100) * (sorted.length - 1);
  const low = Math.floor(place);
  return sorted[low] + (sorted[Math.min(low + 1, sorted.length - 1)] - sorted[low]) * (place - low);
}

// The share of the values that are less.
export function below(sorted, value) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low / sorted.length;
}

// Linear between the curve's points, which begin at 0 and end at 1.
export function along(curve, at) {
  let next = 1;
  while (next < curve.length - 1 && curve[next][0] < at) next++;
  const [[x0, y0], [x1, y1]] = [curve[next - 1], curve[next]];
  return y0 + ((at - x0) / (x1 - x0)) * (y1 - y0);
}

// Each gives a pixel's [red, green, blue] and its alpha, 0 to 1.
const PAINTERS = {
  signed: (map, look, painting) => (i) => {
    const v = map.shown[i];
    const rising = painting.positive;
    const colour = v < 0 ? painting.negative : rising[Math.round(v * (rising.length - 1))];
    return [colour, look.opacity * along(painting.fading, Math.abs(v))];
  },
  heat: (map, look, painting) => (i) => {
    const strength = Math.abs(map.shown[i]);
    const colour = painting.heat[Math.round(strength * (painting.heat.length - 1))];
    return [colour, look.opacity * (painting.floor + (1 - painting.floor) * strength)];
  },
  masked: (map, look, painting) => {
    const at = percentileOf(map.sorted, look.percentile);
    return (i) => [painting.hidden, map.smooth[i] >= at ? 0 : 1];
  },
};

// How bright each colour is (ITU-R 601), as the server's grey has it.
export const LUMA = [0.299, 0.587, 0.114];

// A photograph's bytes (pixels, 4) without their colours.
export function greyed(bytes) {
  const grey = new Uint8ClampedArray(bytes.length);
  for (let i = 0; i < bytes.length; i += 4) {
    const bright = LUMA[0] * bytes[i] + LUMA[1] * bytes[i + 1] + LUMA[2] * bytes[i + 2];
    grey.set([bright, bright, bright, bytes[i + 3]], i);
  }
  return grey;
}

// The map's own pixels as bytes (side, side, 4); a contour is no picture but an `outline`.
export function pixelsOf(map, look, painting) {
  const paint = PAINTERS[look.style](map, look, painting);
  const pixels = new Uint8ClampedArray(4 * map.shown.length);
  for (let i = 0; i < map.shown.length; i++) {
    const [colour, alpha] = paint(i);
    pixels.set([...colour, Math.round(255 * alpha)], 4 * i);
  }
  return pixels;
}

// Which of a square's sides, top, right, bottom and left, a line joins, by which corners are inside: 1, 2, 4, 8 clockwise from the top left.
const SIDES = {
  1: "lt",
  2: "tr",
  3: "lr",
  4: "rb",
  5: "ltrb",
  6: "tb",
  7: "bl",
  8: "bl",
  9: "tb",
  10: "trbl",
  11: "rb",
  12: "lr",
  13: "tr",
  14: "lt",
};

// Marching squares between the pixels' centres, as an SVG path in the map's pixels.
export function outline(map, percent) {
  const n = map.side;
  const at = percentileOf(map.sorted, percent);
  const v = map.smooth;
  const between = (a, b) => (at - a) / (b - a || 1);
  let d = "";
  for (let r = 0; r < n - 1; r++) {
    for (let c = 0; c < n - 1; c++) {
      const [a, b, e, f] = [v[r * n + c], v[r * n + c + 1], v[(r + 1) * n + c + 1], v[(r + 1) * n + c]];
      const sides = SIDES[(a >= at) + 2 * (b >= at) + 4 * (e >= at) + 8 * (f >= at)] ?? "";
      const [x, y] = [c + 0.5, r + 0.5];
      const places = {
        t: [x + between(a, b), y],
        r: [x + 1, y + between(b, e)],
        b: [x + between(f, e), y + 1],
        l: [x, y + between(a, f)],
      };
      const [...corners] = sides;
      corners.forEach((side, i) => {
        d += (i % 2 ? "L" : "M") + places[side].map((p) => p.toFixed(2)).join(" ");
      });
    }
  }
  return d;
}

// Three digits with their sign; very small and large ones as 2.3×10⁻⁴.
export function written(v) {
  if (v === 0) return "0";
  const size = Math.abs(v);
  const sign = v > 0 ? "+" : "−";
  if (size >= 1e-3 && size < 1e4) return sign + Number(size.toPrecision(3));
  const [digits, power] = size.toExponential(1).split("e");
  const raised = [...power.replace("+", "")].map((c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]).join("");
  return `${sign}${digits}×10${raised}`;
}
