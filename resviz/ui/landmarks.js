// What assistive technology needs of the page around us, and the question before a run is lost by closing or loading the tab anew.
export default function ({ data }) {
  const bar = document.querySelector(".st-key-navigation");
  if (bar) {
    bar.setAttribute("role", "navigation");
    bar.setAttribute("aria-label", "Pages");
    for (const link of bar.querySelectorAll("a")) {
      if (link.textContent.trim() !== data.current) {
        link.removeAttribute("aria-current");
        continue;
      }
      link.setAttribute("aria-current", "page");
      bar.scrollLeft = link.offsetLeft - (bar.clientWidth - link.clientWidth) / 2; // where the bar is narrower than its links
    }
  }
  // the page says itself that an address leads nowhere; Streamlit would lay a dialog over it
  if (!data.current) document.querySelector('[role="dialog"] button[aria-label="Close"]')?.click();
  const ask = (event) => event.preventDefault();
  if (data.unsaved) addEventListener("beforeunload", ask);
  return () => removeEventListener("beforeunload", ask);
}
