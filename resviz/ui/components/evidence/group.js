// What all pictures of a group share: how a map lies on its photograph, which part is shown, and where the pointer is.
import { clamp } from "../common.js";

const MOST = 16; // times

export function groupOf(name, look) {
  window.resvizGroups ??= new Map();
  const groups = window.resvizGroups;
  if (!groups.has(name))
    groups.set(name, { look: { ...look }, zoom: 1, x: 0.5, y: 0.5, at: null, members: new Set(), waits: false });
  return groups.get(name);
}

// Every member draws in the next frame, however often it is told before.
export function tell(group) {
  if (group.waits) return;
  group.waits = true;
  requestAnimationFrame(() => {
    group.waits = false;
    for (const draw of group.members) draw();
  });
}

// A view is {zoom, x, y}, of which x and y, 0 to 1, are the picture's place in its middle. Nothing beside the picture is shown.
export function settled({ zoom, x, y }) {
  const half = 0.5 / zoom;
  return { zoom, x: clamp(x, half, 1 - half), y: clamp(y, half, 1 - half) };
}

// The view zoomed by a factor, 0 being all the way out, so that the point (u, v) of the picture stays where it is.
export function zoomed(view, factor, u, v) {
  const zoom = clamp(view.zoom * factor, 1, MOST);
  const kept = view.zoom / zoom;
  return settled({ zoom, x: u + (view.x - u) * kept, y: v + (view.y - v) * kept });
}

export function zoomBy(group, factor, u = group.x, v = group.y) {
  Object.assign(group, zoomed(group, factor, u, v));
  tell(group);
}

export function moveBy(group, x, y) {
  Object.assign(group, settled({ zoom: group.zoom, x: group.x + x, y: group.y + y }));
  tell(group);
}
