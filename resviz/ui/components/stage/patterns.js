// Which skips can be cut together: only what was trained that way is offered, so that no number is shown that was not measured.
// A pattern has the name that the recording gives it; "none" and "all" are the residual and the plain network.

export const MODES = ["first", "last", "one", "second"];

// Every pattern that one way of choosing leads to, from nothing cut on.
export function patternsOf(mode, skips) {
  if (mode === "second") return ["none", "odd", "even"];
  const each = Array.from({ length: skips }, (_, i) => i + 1);
  if (mode === "one") return ["none", ...each.map((i) => `one:${i}`)];
  const single = mode === "first" ? 1 : skips;
  return ["none", ...each.map((k) => (k === 1 ? `one:${single}` : k === skips ? "all" : `${mode}:${k}`))];
}

// For every skip, counted from the image, whether the pattern cuts it.
export function cutBy(pattern, skips) {
  const [kind, number] = pattern.split(":");
  const rules = {
    none: () => false,
    all: () => true,
    odd: (i) => i % 2 === 1,
    even: (i) => i % 2 === 0,
    one: (i) => i === Number(number),
    first: (i) => i <= Number(number),
    last: (i) => i > skips - Number(number),
  };
  return Array.from({ length: skips }, (_, i) => rules[kind](i + 1));
}

// Where a click on a skip leads: to the pattern that ends at it, or, where it is the last that was cut, one back.
export function afterClick(mode, at, skip, skips) {
  const wanted = { first: skip, last: skips + 1 - skip, one: skip, second: skip % 2 ? 1 : 2 }[mode];
  if (wanted !== at) return wanted;
  return mode === "first" || mode === "last" ? at - 1 : 0;
}

// The pattern that stays when the way of choosing changes: as many skips from the other end, otherwise nothing cut.
export function afterMode(from, at, to) {
  const ends = ["first", "last"];
  return ends.includes(from) && ends.includes(to) ? at : 0;
}
