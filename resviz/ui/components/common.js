const NS = "http://www.w3.org/2000/svg";

function element(tag, attrs, text) {
  const node = document.createElementNS(NS, tag);
  for (const [key, value] of Object.entries(attrs)) if (value !== undefined) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  return node;
}

function save(name, blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

function saveSvg(text, name) {
  save(`${name}.svg`, new Blob([text], { type: "image/svg+xml" }));
}

function savePng(text, name, width, height) {
  const image = new Image();
  image.onload = () => {
    const canvas = document.createElement("canvas");
    canvas.width = width * 2;
    canvas.height = height * 2;
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((blob) => save(`${name}.png`, blob), "image/png");
  };
  image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(text);
}

// Every run of the page calls a component's function anew on the same element; what has not changed need not be drawn again.
function unchanged(root, data) {
  const now = JSON.stringify(data);
  if (root.drawn === now) return true;
  root.drawn = now;
  return false;
}

// Calls `draw` whenever the element's width has changed; returns what ends it.
function onResize(root, draw) {
  let last = root.clientWidth;
  const observer = new ResizeObserver(() => {
    if (Math.abs(root.clientWidth - last) < 4) return;
    last = root.clientWidth;
    draw();
  });
  observer.observe(root);
  return () => observer.disconnect();
}

// One layer's name lights up in every diagram and chart of the page together.
function announce(name, from) {
  document.dispatchEvent(new CustomEvent("resviz-hover", { detail: { name, from } }));
}

function onAnnounced(from, act) {
  const listen = (event) => event.detail.from !== from && act(event.detail.name);
  document.addEventListener("resviz-hover", listen);
  return () => document.removeEventListener("resviz-hover", listen);
}
