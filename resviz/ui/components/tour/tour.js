// Brings the control that the card names into view, and the keyboard to it.
const FOCUSABLE = "button, input, select, [tabindex='0']";

/** The first of the keys whose element is on the page, as Streamlit marks elements with their key. */
export function named(root, keys) {
  for (const key of keys) {
    const found = root.querySelector(`.st-key-${key}`);
    if (found) return found;
  }
  return null;
}

export default function ({ parentElement, data }) {
  parentElement.querySelector("button").onclick = () => {
    const control = named(document, data.keys);
    if (!control) return;
    control.scrollIntoView({
      block: "center",
      behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth",
    });
    control.querySelector(FOCUSABLE)?.focus({ preventScroll: true });
  };
}
