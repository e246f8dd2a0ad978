import assert from "node:assert/strict";
import { test } from "node:test";
import { clamp, mount } from "../../resviz/ui/components/common.js";

// an element that a component draws on, and what happened to it
function drawnOn() {
  const root = {};
  const told = [];
  const run = (data) =>
    mount(root, data, () => {
      told.push(`draw ${data.n}`);
      return () => told.push(`tidy ${data.n}`);
    });
  return { run, told };
}

test("what has not changed is not drawn again", () => {
  const { run, told } = drawnOn();
  assert.equal(run({ n: 1 }), run({ n: 1 }));
  assert.deepEqual(told, ["draw 1"]);
});

test("what the last drawing began ends before the next", () => {
  const { run, told } = drawnOn();
  run({ n: 1 });
  run({ n: 2 });
  assert.deepEqual(told, ["draw 1", "tidy 1", "draw 2"]);
});

test("an element that went ends once, and is drawn when it comes again", () => {
  const { run, told } = drawnOn();
  const end = run({ n: 1 });
  end();
  end();
  run({ n: 1 });
  assert.deepEqual(told, ["draw 1", "tidy 1", "draw 1"]);
});

test("the end that was handed out first ends what was drawn last", () => {
  const { run, told } = drawnOn();
  const end = run({ n: 1 });
  run({ n: 2 });
  end();
  assert.deepEqual(told.slice(-1), ["tidy 2"]);
});

test("clamp keeps within", () => {
  assert.deepEqual(
    [-1, 0.5, 2].map((v) => clamp(v, 0, 1)),
    [0, 0.5, 1],
  );
});
