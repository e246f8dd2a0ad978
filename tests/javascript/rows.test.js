import assert from "node:assert/strict";
import { test } from "node:test";
import { coloured, moved, tensorsOf, valuesAt, worded } from "../../resviz/ui/components/rows/values.js";

const packed = (...values) => Buffer.from(new Float32Array(values).buffer).toString("base64");
const painting = {
  positive: [[245, 166, 35]],
  negative: [123, 78, 163],
  fading: [
    [0, 0],
    [0.5, 0.6],
    [1, 1],
  ],
};

test("the sum is what 32 bits make of it", () => {
  const { x, F, sum, after } = tensorsOf({ x: packed(0.1, 1e8, -2), F: packed(0.2, 1, 0.5), after: packed(1, 2, 3) });
  assert.deepEqual([...sum], [Math.fround(x[0] + F[0]), 1e8, -1.5]);
  assert.deepEqual([...after], [1, 2, 3]);
});

test("without a skip there is no sum, without an activation nothing after it", () => {
  assert.deepEqual(Object.keys(tensorsOf({ x: "", F: packed(1), after: "" })), ["F"]);
});

test("a hue says the sign and fades with the size", () => {
  const pixels = coloured(new Float32Array([9, 9, 2, -1, 0]), 2, 3, 2, painting);
  assert.deepEqual([...pixels.slice(0, 4)], [245, 166, 35, 255]);
  assert.deepEqual([...pixels.slice(4, 8)], [123, 78, 163, 153]);
  assert.equal(pixels[11], 0);
});

test("a position is read in every row of its own channel", () => {
  const tensors = { F: new Float32Array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]) };
  assert.deepEqual(valuesAt(tensors, [2, 3], { nth: 1, row: 1, column: 2 }), { F: 11 });
});

test("what is added up has equally many decimals", () => {
  assert.deepEqual(worded([1.6489, -2.0766, -0.4277]), ["1.649", "−2.077", "−0.428"]);
  assert.deepEqual(worded([1.5, -0.0001, -0.001]), ["1.500", "0.000", "−0.001"]);
  assert.deepEqual(worded([0, 0]), ["0.0", "0.0"]);
  assert.deepEqual(worded([12345.6, 1]), ["12346", "1"]);
});

test("arrow keys stay inside the picture and the channels", () => {
  const at = { nth: 0, row: 0, column: 2 };
  assert.deepEqual(moved(at, "ArrowUp", [2, 3], 2), at);
  assert.deepEqual(moved(at, "ArrowRight", [2, 3], 2), at);
  assert.deepEqual(moved(at, "ArrowDown", [2, 3], 2), { nth: 0, row: 1, column: 2 });
  assert.deepEqual(moved(at, "PageDown", [2, 3], 2), { nth: 1, row: 0, column: 2 });
  assert.deepEqual(moved({ ...at, nth: 1 }, "PageDown", [2, 3], 2), { nth: 1, row: 0, column: 2 });
});
