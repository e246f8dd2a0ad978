/** The map as `figures/story.py` wrote it: numbers and names of the project's own, escaped there. */
export default function (component) {
  component.parentElement.querySelector(".story").innerHTML = component.data.markup;
}
