// Where bars, arcs and additions stand, in pixels. A skip passes by two layers; the first layer and the last have none.

export const NARROW = 720; // pixels under which an arc is too small for a finger

export function placesOf(width, layers, skips) {
  const narrow = width < NARROW;
  const pitch = width / layers;
  const bar = Math.max(2, Math.round(pitch * 6.2) / 10);
  const tall = narrow ? 64 : 120;
  const arch = narrow ? 16 : 26; // what an arc rises above the tallest bar
  const gap = (layer) => pitch * layer; // in front of a layer
  return {
    narrow,
    bar,
    tall,
    arch,
    trunk: tall / 2 + arch,
    height: tall + arch + 2,
    left: (layer) => pitch * (layer + 0.5) - bar / 2,
    arcs: Array.from({ length: skips }, (_, i) => ({ from: gap(1 + 2 * i), to: gap(3 + 2 * i) })),
  };
}

// Up from the trunk, over two layers, and down to where x is added.
export function arcPath({ from, to }, { trunk, narrow }) {
  const top = 3;
  const round = Math.min((to - from) / 2, narrow ? 6 : 12);
  return `M${from} ${trunk}V${top + round}Q${from} ${top} ${from + round} ${top}H${to - round}Q${to} ${top} ${to} ${top + round}V${trunk}`;
}

// What is left of a cut one: its top, broken in the middle, lifted off the trunk.
export function cutPath({ from, to }, { arch, narrow }) {
  const top = 3;
  const round = Math.min((to - from) / 2, narrow ? 6 : 12);
  const foot = arch - 2;
  const [a, b] = [from + 1.5, to - 1.5];
  const middle = (a + b) / 2;
  const half = narrow ? 1 : 8; // the scissors are between
  return `M${a} ${foot}V${top + round}Q${a} ${top} ${a + round} ${top}H${middle - half}M${middle + half} ${top}H${b - round}Q${b} ${top} ${b} ${top + round}V${foot}`;
}
