import assert from "node:assert/strict";
import { test } from "node:test";
import { cellAt, columnsOf, pixelsOf, told, unpacked } from "../../resviz/ui/components/chart/heatmap.js";

// two layers at three steps: an exact zero, the scale's ends and middle, and an overflow
const heat = unpacked({
  x: [1, 2, 8],
  names: ["conv1", "fc"],
  cells: btoa(String.fromCharCode(0, 1, 127, 253, 254, 1)),
  colours: Array.from({ length: 255 }, (_, i) => `#0000${i.toString(16).padStart(2, "0")}`),
  range: [-12, 3],
});

test("cells and colours arrive as they were sent", () => {
  assert.deepEqual([...heat.cells], [0, 1, 127, 253, 254, 1]);
  assert.deepEqual(heat.colours[254], [0, 0, 254]);
});

test("a cell says its value, or why it has none", () => {
  const said = [0, 1, 2].map((index) => told(heat, { row: 0, index }));
  assert.deepEqual(said, ["exactly 0", "≈ 1.0e-12", "≈ 3.2e-5"]);
  assert.equal(told(heat, { row: 1, index: 0 }), "≈ 1.0e+3");
  assert.equal(told(heat, { row: 1, index: 1 }), "∞ or NaN");
});

test("a step lasts until the next, the last as long as the one before, and nothing is beside them", () => {
  assert.deepEqual(columnsOf(heat, 0, 16, 16), [-1, 0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, -1, -1]);
  assert.deepEqual(columnsOf({ ...heat, x: [3] }, 2, 5, 3), [-1, 0, -1]);
});

test("the first layer is the lowest row of pixels", () => {
  const pixels = pixelsOf(heat, [0, -1]);
  assert.deepEqual([...pixels.slice(0, 8)], [0, 0, 253, 255, 0, 0, 0, 0]);
  assert.deepEqual([...pixels.slice(8, 12)], [0, 0, 0, 255]);
});

test("a cell is found by value and row", () => {
  assert.deepEqual(cellAt(heat, 5, 1, 16), { row: 1, index: 1 });
  for (const [v, row] of [
    [5, 2],
    [5, -1],
    [0.5, 0],
    [17, 0],
  ])
    assert.equal(cellAt(heat, v, row, 16), null);
});
