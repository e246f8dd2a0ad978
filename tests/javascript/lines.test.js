import assert from "node:assert/strict";
import { test } from "node:test";
import { ending, named, nearest, pathOf, rowsAt, spread, stepped } from "../../resviz/ui/components/chart/lines.js";

const same = (v) => v;
const line = (name, y, more) => ({
  name,
  x: y.map((_, i) => 10 * i),
  y,
  names: y.map((_, i) => `layer${i}`),
  values: y.map(String),
  legend: true,
  color: "blue",
  ...more,
});
const trail = line("trail", [1, 2, 3], { names: [], values: [], legend: false });
const lines = [trail, line("residual", [1, 2, 3]), line("plain", [5, null, 7])];

test("a value that is missing is a gap", () => {
  assert.equal(pathOf(lines[2], same, same), "M0.0 5.0M20.0 7.0");
  assert.equal(pathOf(lines[1], same, same), "M0.0 1.0L10.0 2.0L20.0 3.0");
});

test("what is meant is the nearest point that has a name and is not hidden", () => {
  assert.deepEqual(nearest(lines, new Set(), same, same, 11, 2), { series: 1, index: 1 });
  assert.deepEqual(nearest(lines, new Set(["residual"]), same, same, 11, 2), { series: 2, index: 1 + 1 });
  assert.equal(nearest(lines, new Set(), same, same, 90, 2), null);
  // 30 pixels above a point count as 15, which is nearer than 20 beside
  const one = [line("a", [0]), line("b", [30], { x: [20] })];
  assert.deepEqual(nearest(one, new Set(), same, same, 0, 30), { series: 0, index: 0 });
});

test("the tooltip compares all lines that can be seen", () => {
  assert.deepEqual(rowsAt(lines, new Set(), "layer2"), [
    { text: "residual: 3", color: "blue" },
    { text: "plain: 7", color: "blue" },
  ]);
  assert.deepEqual(rowsAt(lines, new Set(["plain"]), "layer2").length, 1);
});

test("the keyboard begins on a line that says something and stays on it", () => {
  assert.deepEqual(stepped(lines, null, 1), { series: 1, index: 0 });
  assert.deepEqual(stepped(lines, { series: 2, index: 2 }, 1), { series: 2, index: 2 });
  assert.deepEqual(stepped(lines, { series: 2, index: 2 }, -1), { series: 2, index: 1 });
  assert.equal(stepped([], null, 1), null);
});

test("a name that another figure points at is found where it has a place", () => {
  assert.deepEqual(named(lines, "layer1"), { series: 1, index: 1 });
  assert.deepEqual(named(lines.slice(2), "layer1"), null);
  assert.equal(named(lines, ""), null);
});

test("names at the ends keep their distance and stay within the figure", () => {
  assert.deepEqual(spread([50, 50, 10], 15, 4, 200), [50, 65, 10]);
  assert.deepEqual(spread([198, 199], 15, 4, 200), [185, 200]);
  assert.deepEqual(spread([0], 15, 4, 200), [4]);
});

test("lines are named at their ends where that leaves room for them", () => {
  const two = [line("residual", [1], {}), line("plain", [1], {})];
  assert.ok(ending(two, 900, 12) > 60);
  assert.equal(ending(two, 340, 12), 0);
  assert.equal(ending(Array(7).fill(two[0]), 900, 12), 0);
  assert.equal(ending([trail], 900, 12), 0);
});
