import assert from "node:assert/strict";
import { test } from "node:test";
import { settled, zoomed } from "../../resviz/ui/components/evidence/group.js";

const whole = { zoom: 1, x: 0.5, y: 0.5 };
// where a place of the picture is seen, 0 to 1
const seen = (view, u) => 0.5 + (u - view.x) * view.zoom;

test("the point under the pointer stays where it is", () => {
  const near = zoomed(whole, 2, 0.4, 0.6);
  assert.equal(near.zoom, 2);
  assert.ok(Math.abs(seen(near, 0.4) - 0.4) < 1e-9);
  const nearer = zoomed(near, 1.5, 0.45, 0.6);
  assert.ok(Math.abs(seen(nearer, 0.45) - seen(near, 0.45)) < 1e-9);
});

test("a zoom has an end, and nothing beside the picture is shown", () => {
  assert.equal(zoomed(whole, 100, 0.5, 0.5).zoom, 16);
  assert.deepEqual(zoomed({ zoom: 4, x: 0.2, y: 0.8 }, 0, 0.3, 0.3), whole);
  assert.deepEqual(settled({ zoom: 2, x: 0.1, y: 2 }), { zoom: 2, x: 0.25, y: 0.75 });
});
