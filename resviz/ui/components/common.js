// What all components share. Each is a function of the page that Streamlit calls anew at every run on the same element.
export const NS = "http://www.w3.org/2000/svg";

export const clamp = (v, low, high) => Math.min(high, Math.max(low, v));

export function element(tag, attrs, text) {
  const node = document.createElementNS(NS, tag);
  for (const [key, value] of Object.entries(attrs)) if (value !== undefined) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  return node;
}

// A file is light whatever the page: of each pair of colours the first.
export const inLight = (text) => text.replace(/light-dark\((#\w+), #\w+\)/g, "$1");

// One of the colours that the server declares for every component, by its name there, as files have it.
export function colour(root, name) {
  return inLight(getComputedStyle(root).getPropertyValue(`--${name}`).trim());
}

// Whether the page around the element is dark.
export const isDark = (root) => getComputedStyle(root).colorScheme.includes("dark");

// Draws what has changed: `draw` returns what ends all that it began, which is called before the next drawing and when the element goes.
// Returns what Streamlit calls when the element goes.
export function mount(root, data, draw) {
  root.end ??= () => {
    root.tidy?.();
    root.tidy = root.drawn = null;
  };
  const now = JSON.stringify(data);
  if (root.drawn === now) return root.end;
  root.tidy?.();
  root.tidy = null;
  root.drawn = now;
  root.tidy = draw();
  return root.end;
}

// The height of a figure's words in pixels: nothing is smaller, and a projector has a larger one. As common.css.
export const typeSize = () => (matchMedia("(min-width: 1920px)").matches ? 16 : 14);

export function save(name, blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

export function saveSvg(text, name) {
  save(`${name}.svg`, new Blob([text], { type: "image/svg+xml" }));
}

export function savePng(text, name, width, height) {
  const image = new Image();
  image.onload = () => {
    const canvas = document.createElement("canvas");
    canvas.width = width * 2;
    canvas.height = height * 2;
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((blob) => save(`${name}.png`, blob), "image/png");
  };
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
}

// Calls `draw` whenever the element's width has changed; returns what ends it.
export function onResize(root, draw) {
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
export function announce(name, from) {
  document.dispatchEvent(new CustomEvent("resviz-hover", { detail: { name, from } }));
}

export function onAnnounced(from, act) {
  const listen = (event) => event.detail.from !== from && act(event.detail.name);
  document.addEventListener("resviz-hover", listen);
  return () => document.removeEventListener("resviz-hover", listen);
}
