// Of a byte its colour: 128 is the page's own ground, 1 the first class's hue and 255 the second's.
export function mixed(byte, ground, first, second) {
  const signed = Math.max(-1, Math.min(1, (byte - 128) / 127));
  const hue = signed < 0 ? first : second;
  return ground.map((part, i) => Math.round(part + (hue[i] - part) * Math.abs(signed)));
}

// "#RRGGBB" as three numbers.
export const partsOf = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));

// A map's bytes as a picture's, (side · side · 4).
export function painted(bytes, hues) {
  const pixels = new Uint8ClampedArray(4 * bytes.length);
  const known = new Map();
  bytes.forEach((byte, i) => {
    if (!known.has(byte)) known.set(byte, mixed(byte, ...hues));
    pixels.set(known.get(byte), 4 * i);
    pixels[4 * i + 3] = 255;
  });
  return pixels;
}

// From a unit to the one that an arrow key leads to, or null.
export function moved(i, key, count) {
  const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[key];
  return by === undefined ? null : (i + by + count) % count;
}

// Where a point of the plane lies on a canvas that shows it from −edge to edge.
export const placed = ([x, y], size, edge) => [((x + edge) / (2 * edge)) * size, ((edge - y) / (2 * edge)) * size];
