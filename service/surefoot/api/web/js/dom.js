// Building the page: elements, attributes and texts. There is no way here to read a text as HTML.

const SVG = "http://www.w3.org/2000/svg";

export const byId = (id) => document.getElementById(id);

/** An element with attributes, listeners (`on`), custom properties (`vars`) and children; strings become texts. */
export function el(tag, props = {}, ...children) {
  return filled(document.createElement(tag), props, children);
}

/** The same for SVG. */
export function svg(tag, props = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), props, children);
}

function filled(element, { on = {}, vars = {}, ...attributes }, children) {
  for (const [event, listener] of Object.entries(on)) element.addEventListener(event, listener);
  for (const [name, value] of Object.entries(vars)) element.style.setProperty(`--${name}`, value);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Put `children` where an element's present ones are. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat().filter(Boolean));
}

export const show = (element, visible) => { element.hidden = !visible; };

/** A number as people read it: `digits` behind the point, a real minus. */
export function shown(value, digits = 2) {
  return value.toFixed(digits).replace("-", "−");
}

export const plural = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;
