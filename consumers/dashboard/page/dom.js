// Elements without markup: every text goes in as text, so what upstream systems sent stays text.

const SVG = 'http://www.w3.org/2000/svg';

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? '' : value);
  }
  for (const child of children.flat(3)) {
    if (child !== null && child !== undefined && child !== false) node.append(child);
  }
  return node;
}

export const el = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
export const svg = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);
export const by = (id) => document.getElementById(id);

// A picture with a name for those who hear it.
export function picture(width, height, name, ...children) {
  return svg('svg', { viewBox: `0 0 ${width} ${height}`, width: '100%', role: 'img', 'aria-label': name }, ...children);
}

// Puts children into a section, keeping the focus where it was.
export function show(id, ...children) {
  const at = by(id), held = at.contains(document.activeElement) && document.activeElement.dataset.keep;
  at.replaceChildren(...children.flat(3).filter((c) => c));
  if (held) at.querySelector(`[data-keep="${CSS.escape(held)}"]`)?.focus();
}
