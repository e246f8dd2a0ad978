import assert from "node:assert/strict";
import { test } from "node:test";
import { beside, scale, ticksOf, uncrowded } from "../../resviz/ui/components/chart/axes.js";

test("a scale goes both ways", () => {
  const px = scale(-6, 3, 62, 512);
  assert.deepEqual([-6, 3, -1.5].map(px), [62, 512, 287]);
  assert.equal(px.back(287), -1.5);
});

test("ticks of its own are those in range, otherwise they are round", () => {
  const own = {
    ticks: [
      [-3, "10⁻³"],
      [0, "10⁰"],
      [3, "10³"],
    ],
  };
  assert.deepEqual(ticksOf(own, -3, 1, 5), own.ticks.slice(0, 2));
  const texts = (from, to, room) => ticksOf({ ticks: null }, from, to, room).map(([, text]) => text);
  assert.deepEqual(texts(0, 30.5, 6), ["0", "10", "20", "30"]);
  assert.deepEqual(texts(0.1, 0.52, 4), ["0.2", "0.4"]);
  assert.deepEqual(texts(0, 3.7, 8), ["0", "0.5", "1", "1.5", "2", "2.5", "3", "3.5"]);
});

test("a word that would lie over the one before is left out", () => {
  const ticks = [
    [0, "layer1"],
    [30, "layer2"],
    [60, "layer3"],
  ];
  assert.deepEqual(
    uncrowded(ticks, (v) => v),
    [ticks[0], ticks[2]],
  );
});

test("a tooltip stands right of its point, left of it at the edge, and never outside", () => {
  assert.deepEqual([beside(100, 80, 400), beside(350, 80, 400), beside(50, 400, 410)], [114, 256, 0]);
});
