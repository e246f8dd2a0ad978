// Where values lie in pixels, and which of them are written.

// From values to pixels, and `back`.
export function scale(v0, v1, p0, p1) {
  const at = (v) => p0 + ((v - v0) / (v1 - v0)) * (p1 - p0);
  at.back = (p) => v0 + ((p - p0) / (p1 - p0)) * (v1 - v0);
  return at;
}

// [value, text] of an axis' ticks within a range; where it has none of its own, round ones, about as many as there is room for.
export function ticksOf(axis, from, to, room) {
  if (axis.ticks) return axis.ticks.filter(([v]) => v >= from - 1e-9 && v <= to + 1e-9);
  const rough = (to - from) / Math.max(2, room);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough);
  const ticks = [];
  for (let v = Math.ceil(from / step) * step; v <= to + step * 1e-6; v += step) {
    ticks.push([v, String(Number(v.toPrecision(8)))]);
  }
  return ticks;
}

// The ticks whose words do not overlap the one before.
export function uncrowded(ticks, px, type = 14) {
  let edge = -Infinity;
  return ticks.filter(([v, text]) => {
    const half = 0.3 * type * text.length;
    if (px(v) - half < edge) return false;
    edge = px(v) + half + 6;
    return true;
  });
}

// The left edge of a box so many pixels wide that stands right of x, or left of it where there is no room.
export function beside(x, wide, width) {
  return x + 14 + wide > width ? Math.max(0, x - wide - 14) : x + 14;
}
