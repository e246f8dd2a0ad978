import assert from "node:assert/strict";
import { test } from "node:test";
import { mixed, moved, painted, partsOf, placed } from "../../resviz/ui/components/plane/colours.js";

const HUES = [
  [255, 255, 255],
  [123, 78, 163],
  [245, 166, 35],
];

test("the middle is the ground, the ends are the two hues", () => {
  assert.deepEqual(mixed(128, ...HUES), HUES[0]);
  assert.deepEqual(mixed(1, ...HUES), HUES[1]);
  assert.deepEqual(mixed(255, ...HUES), HUES[2]);
  assert.deepEqual(mixed(0, ...HUES), HUES[1]);
  assert.deepEqual(partsOf("#7B4EA3"), HUES[1]);
});

test("a map's bytes are a picture's, opaque", () => {
  assert.deepEqual([...painted(Uint8Array.of(255, 128), HUES)], [245, 166, 35, 255, 255, 255, 255, 255]);
});

test("arrow keys go round", () => {
  assert.deepEqual([moved(0, "ArrowLeft", 4), moved(3, "ArrowDown", 4), moved(1, "Enter", 4)], [3, 0, null]);
});

test("y grows upwards", () => {
  assert.deepEqual(placed([-6, 6], 420, 6), [0, 0]);
  assert.deepEqual(placed([0, -6], 420, 6), [210, 420]);
});
