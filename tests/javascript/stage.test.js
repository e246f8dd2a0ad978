import assert from "node:assert/strict";
import { test } from "node:test";
import { decadesOf, frameOf, recordingOf, STRONGEST } from "../../resviz/ui/components/stage/frames.js";
import { afterClick, afterMode, cutBy, MODES, patternsOf } from "../../resviz/ui/components/stage/patterns.js";
import { arcPath, cutPath, placesOf } from "../../resviz/ui/components/stage/places.js";
import {
  altOf,
  answerOf,
  cutWords,
  guesses,
  labLink,
  meaningOf,
  percent,
  powerOf,
} from "../../resviz/ui/components/stage/words.js";

const cut = (pattern, skips) => cutBy(pattern, skips).flatMap((is, i) => (is ? [i + 1] : []));

test("a way of choosing cuts one more with every pattern, from nothing to all", () => {
  for (const mode of ["first", "last"]) {
    const counts = patternsOf(mode, 5).map((pattern) => cut(pattern, 5).length);
    assert.deepEqual(counts, [0, 1, 2, 3, 4, 5]);
  }
  assert.deepEqual(cut(patternsOf("first", 5)[2], 5), [1, 2]);
  assert.deepEqual(cut(patternsOf("last", 5)[2], 5), [4, 5]);
  assert.deepEqual(
    patternsOf("one", 3).map((pattern) => cut(pattern, 3)),
    [[], [1], [2], [3]],
  );
  assert.deepEqual(
    patternsOf("second", 5).map((pattern) => cut(pattern, 5)),
    [[], [1, 3, 5], [2, 4]],
  );
});

test("a click cuts the skip it was made on, and a second one restores it", () => {
  for (const mode of MODES) {
    for (const skip of [1, 2, 4, 5]) {
      const at = afterClick(mode, 0, skip, 5);
      assert.ok(cutBy(patternsOf(mode, 5)[at], 5)[skip - 1], `${mode} ${skip}`);
      const again = afterClick(mode, at, skip, 5);
      assert.ok(!cutBy(patternsOf(mode, 5)[again], 5)[skip - 1], `${mode} ${skip}, again`);
    }
  }
  assert.equal(afterClick("first", 4, 2, 5), 2);
});

test("as many are cut from the other end when it is chosen, otherwise none", () => {
  assert.equal(afterMode("first", 3, "last"), 3);
  assert.equal(afterMode("one", 3, "last"), 0);
  assert.equal(afterMode("last", 3, "second"), 0);
});

test("powers of ten have two or three digits", () => {
  assert.deepEqual([0, Math.log10(0.25), 2.1, -24.45, -2.5, -2.001, -Infinity].map(powerOf), [
    "1.00",
    "0.250",
    "126",
    "3.5×10⁻²⁵",
    "3.2×10⁻³",
    "1.0×10⁻²",
    "0",
  ]);
  assert.equal(percent(9), "9.0 %");
});

const about = { images: 200, classes: 10, steps: 150, skips: 27, layers: 56 };

test("guessing is what chance can do as well", () => {
  assert.ok(guesses(9, about) && guesses(14, about));
  assert.ok(!guesses(15, about));
  assert.ok(guesses(15, { ...about, images: 20 }));
  assert.equal(meaningOf(9, about), "unseen digits: guessing");
  assert.equal(meaningOf(90, about), "of unseen digits right");
});

test("an answer says the numbers of its pattern and of what it is compared with", () => {
  const ends = {
    none: { accuracy: 92.5, reach: 0.2 },
    all: { accuracy: 9, reach: -24.45 },
    "first:9": { accuracy: 41, reach: -3 },
  };
  const nothing = answerOf("none", ends, about);
  for (const part of ["150 steps", "92.5 %", "1.58 times", "3.5×10⁻²⁵", "9.0 % is guessing"])
    assert.ok(nothing.includes(part), nothing);
  const some = answerOf("first:9", ends, about);
  for (const part of ["the 9 skips nearest the image", "41.0 %", "92.5 % with every skip", "1.0×10⁻³"])
    assert.ok(some.includes(part), some);
  assert.ok(!some.includes("guess"));
  assert.match(answerOf("all", ends, about), /^Trained for 150 steps without any skip, it guesses, 9.0 %/);
  for (const pattern of ["one:4", "last:2", "odd", "even"]) assert.ok(cutWords(pattern, 27).startsWith("without "));
  const row = (name, accuracy) => ({ name, accuracy, reach: -3 });
  const alt = altOf({ plain: row("Plain-56", 9), residual: row("ResNet-56", 92.5) }, about);
  for (const part of ["56 layers", "Plain-56", "9.0 %", "92.5 %", "1.0×10⁻³"]) assert.ok(alt.includes(part), alt);
});

test("the lab's link names what is cut", () => {
  const link = labLink(
    { a: "norm=none", b: "residual=0", steps: "150" },
    ["layer1.0", "layer1.1", "layer2.0"],
    [true, false, true],
  );
  const query = new URL(link, "http://host/").searchParams;
  assert.deepEqual(Object.fromEntries(query), { a: "norm=none&cut=1.0,2.0", b: "residual=0", steps: "150" });
  assert.ok(!labLink({ a: "norm=none" }, ["layer1.0"], [false]).includes("cut"));
});

test("every skip stands over its two layers and joins behind them", () => {
  for (const width of [320, 1000]) {
    const places = placesOf(width, 56, 27);
    assert.equal(places.arcs.length, 27);
    places.arcs.forEach(({ from, to }, i) => {
      const [first, second] = [2 * i + 1, 2 * i + 2].map(places.left);
      assert.ok(from < first && second + places.bar < to && to <= places.left(2 * i + 3), `${width} ${i}`);
    });
    assert.ok(places.left(55) + places.bar <= width);
    assert.ok(places.trunk + places.tall / 2 <= places.height);
    const feet = arcPath(places.arcs[0], places).match(/^M(\S+) (\S+?)V.*V(\S+)$/);
    assert.deepEqual(feet.slice(1).map(Number), [places.arcs[0].from, places.trunk, places.trunk]);
    assert.ok((cutPath(places.arcs[0], places).match(/M/g) ?? []).length === 2);
  }
});

const packed = (...bytes) => btoa(String.fromCharCode(...bytes));
const data = {
  layers: ["conv1", "a", "b", "fc"],
  blocks: ["layer1.0"],
  steps: 2,
  images: 200,
  classes: 10,
  floor: -20,
  top: 0,
  residual: { name: "ResNet-4", gradients: packed(9, 9, 9, 9, 255, 255, 255, 255), reach: [0, 0.1], accuracy: [10, 90] },
  plain: { name: "Plain-4", gradients: packed(0, 1, 2, 3, 0, 1, 2, 4), reach: [-9, -8], accuracy: [11, 12] },
  cuts: { names: ["one:1"], gradients: packed(5, 6, 7, 8), reach: [-1], accuracy: [50] },
  norm: {
    residual: { name: "With", gradients: packed(7, 7, 7, 7), reach: 0, error: 7 },
    plain: { name: "Without", gradients: packed(6, 6, 6, 6), reach: 0, error: 30.7 },
  },
};

test("a frame is the recording at its step, its cut, or with batch norm", () => {
  const recording = recordingOf(data);
  const frame = (state) => frameOf(recording, data, { pattern: "none", step: 2, norm: false, ...state });
  assert.deepEqual([...frame({ step: 1 }).residual.profile], [9, 9, 9, 9]);
  assert.deepEqual([frame({ step: 1 }).residual.value, frame({}).residual.value], ["10.0 %", "90.0 %"]);
  const one = frame({ pattern: "one:1" });
  assert.deepEqual([[...one.residual.profile], one.residual.value, one.cut], [[5, 6, 7, 8], "50.0 %", [true]]);
  assert.match(one.residual.name, /^ResNet-4 · without skip 1/);
  assert.deepEqual([...one.plain.profile], [0, 1, 2, 4]);
  assert.deepEqual([...frame({ pattern: "all" }).residual.profile], [0, 1, 2, 4]);
  const norm = frame({ norm: true });
  assert.deepEqual([norm.plain.value, norm.residual.value, norm.plain.name], ["30.7 %", "7.0 %", "Without"]);
  assert.deepEqual(recording.ends.none, { profile: recording.tracks.residual.profiles[1], reach: 0.1, accuracy: 90 });
});

test("a byte is a place on the scale", () => {
  assert.deepEqual(
    [0, 1, STRONGEST].map((byte) => decadesOf(byte, data)),
    [-Infinity, -20, 0],
  );
});
