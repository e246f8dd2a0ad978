// What all pictures of a group share: how a map lies on its photograph, which part is shown, and where the pointer is.
function groupOf(name, look) {
  const groups = (window.resvizGroups ??= new Map());
  if (!groups.has(name)) groups.set(name, { look: { ...look }, zoom: 1, x: 0.5, y: 0.5, at: null, members: new Set(), waits: false });
  return groups.get(name);
}

// Every member draws in the next frame, however often it is told before.
function tell(group) {
  if (group.waits) return;
  group.waits = true;
  requestAnimationFrame(() => {
    group.waits = false;
    for (const draw of group.members) draw();
  });
}

const clamp = (v, low, high) => Math.min(high, Math.max(low, v));
const MOST = 16;

// Zoom by a factor so that the point (u, v) of the picture, 0 to 1, stays where it is.
function zoomBy(group, factor, u = group.x, v = group.y) {
  const zoom = clamp(group.zoom * factor, 1, MOST), kept = group.zoom / zoom;
  group.x = u + (group.x - u) * kept;
  group.y = v + (group.y - v) * kept;
  group.zoom = zoom;
  settle(group);
}

// Nothing beside the picture is shown.
function settle(group) {
  const half = 0.5 / group.zoom;
  group.x = clamp(group.x, half, 1 - half);
  group.y = clamp(group.y, half, 1 - half);
  tell(group);
}
