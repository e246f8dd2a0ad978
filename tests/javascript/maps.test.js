import assert from "node:assert/strict";
import { test } from "node:test";
import {
  along,
  below,
  greyed,
  outline,
  percentileOf,
  pixelsOf,
  smoothed,
  written,
} from "../../resviz/ui/components/evidence/maps.js";

const painting = {
  positive: [[0, 0, 255]],
  negative: [255, 0, 0],
  hidden: [1, 2, 3],
  heat: [
    [0, 0, 0],
    [10, 10, 10],
    [20, 20, 20],
  ],
  floor: 0.2,
  fading: [
    [0, 0],
    [0.5, 0.6],
    [1, 1],
  ],
};
const mapOf = (side, values) => {
  const shown = Float32Array.from(values);
  return { side, shown, smooth: shown, sorted: shown.slice().sort() };
};

test("smoothing keeps what is even, and the sum of a point far from the edge", () => {
  assert.ok(smoothed(new Float32Array(25).fill(0.5), 5, 1, 3).every((v) => Math.abs(v - 0.5) < 1e-6));
  const point = new Float32Array(81);
  point[40] = 1;
  const smooth = smoothed(point, 9, 1, 3);
  assert.ok(Math.abs(smooth.reduce((a, b) => a + b) - 1) < 1e-5);
  assert.ok(Math.abs(smooth[41] / smooth[40] - Math.exp(-0.5)) < 1e-5);
  assert.equal(smooth[44], 0); // four pixels away, out of three sigmas' reach
});

test("a percentile lies between values, a rank is the share of those below", () => {
  assert.deepEqual(
    [0, 50, 90, 100].map((p) => percentileOf([1, 2, 3, 4, 5], p)),
    [1, 3, 4.6, 5],
  );
  assert.deepEqual(
    [0, 3, 9].map((v) => below([1, 2, 3, 4, 5], v)),
    [0, 0.4, 1],
  );
});

test("evidence fades along the curve", () => {
  assert.deepEqual(
    [0, 0.25, 0.5, 0.75, 1].map((v) => along(painting.fading, v)),
    [0, 0.3, 0.6, 0.8, 1],
  );
});

test("each style paints its own colour and strength", () => {
  const map = mapOf(2, [1, -0.5, 0, 0.25]);
  const painted = (style, look) => {
    const bytes = [...pixelsOf(map, { style, opacity: 1, percentile: 50, ...look }, painting)];
    return [0, 1, 2, 3].map((i) => bytes.slice(4 * i, 4 * i + 4));
  };
  assert.deepEqual(painted("signed"), [
    [0, 0, 255, 255],
    [255, 0, 0, 153],
    [0, 0, 255, 0],
    [0, 0, 255, 77],
  ]);
  assert.deepEqual(painted("signed", { opacity: 0.5 })[0], [0, 0, 255, 128]);
  assert.deepEqual(painted("heat"), [
    [20, 20, 20, 255],
    [10, 10, 10, 153],
    [0, 0, 0, 51],
    [10, 10, 10, 102],
  ]);
  assert.deepEqual(
    painted("masked").map((pixel) => pixel[3]),
    [0, 255, 255, 0],
  );
});

test("a magnitude climbs its ramp while it fades in", () => {
  const ramp = { ...painting, positive: painting.heat };
  const bytes = [...pixelsOf(mapOf(2, [0, 0.5, 1, -1]), { style: "signed", opacity: 1 }, ramp)];
  assert.deepEqual(bytes, [0, 0, 0, 0, 10, 10, 10, 153, 20, 20, 20, 255, 255, 0, 0, 255]);
});

test("a grey photograph is as bright as its colours were", () => {
  assert.deepEqual([...greyed([255, 0, 0, 255, 255, 255, 255, 9])], [76, 76, 76, 255, 255, 255, 255, 9]);
});

test("an outline goes half way between what is inside and what is not", () => {
  const map = { ...mapOf(3, [0, 0, 0, 0, 1, 0, 0, 0, 0]), sorted: [0, 1] };
  assert.equal(outline(map, 50), "M1.50 1.00L1.00 1.50M2.00 1.50L1.50 1.00M1.00 1.50L1.50 2.00M1.50 2.00L2.00 1.50");
  assert.equal(outline({ ...map, smooth: [0, 0, 0, 0, 4, 0, 0, 0, 0] }, 50).slice(0, 20), "M1.50 0.63L0.63 1.50M".slice(0, 20));
  assert.equal(outline(mapOf(2, [1, 1, 1, 1]), 50), "");
});

test("values are written with their sign", () => {
  assert.deepEqual([0, 0.01234, -12.345, 2.34e-4, -1e5].map(written), ["0", "+0.0123", "−12.3", "+2.3×10⁻⁴", "−1.0×10⁵"]);
});
