// Elements and Markdown, built node by node: nothing of the document is ever read as HTML.

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

const INLINE = /`([^`]+)`|\*\*([^*]+)\*\*|\*([^*\s][^*]*)\*|\[([^\]]+)\]\(([^)\s]+)\)/g;

export function inline(text) {
  const parts = [];
  let at = 0;
  for (const found of text.matchAll(INLINE)) {
    parts.push(text.slice(at, found.index));
    const [whole, code, strong, emphasis, label, address] = found;
    if (code !== undefined) parts.push(el("code", {}, code));
    else if (strong !== undefined) parts.push(el("strong", {}, inline(strong)));
    else if (emphasis !== undefined) parts.push(el("em", {}, inline(emphasis)));
    else if (/^(https?:\/\/|\/|#)/.test(address)) parts.push(el("a", { href: address }, label));
    else parts.push(whole);
    at = found.index + whole.length;
  }
  parts.push(text.slice(at));
  return parts;
}

// Paragraphs, headings, lists and fenced code: what our own descriptions use.
export function markdown(text) {
  const blocks = [];
  const lines = (text || "").replace(/\r/g, "").split("\n");
  let at = 0;
  const takeWhile = (fits) => {
    const start = at;
    while (at < lines.length && fits(lines[at])) at += 1;
    return lines.slice(start, at);
  };
  while (at < lines.length) {
    const line = lines[at];
    const heading = line.match(/^(#{1,4})\s+(.*)$/);
    if (!line.trim()) at += 1;
    else if (line.startsWith("```")) {
      at += 1;
      const code = takeWhile((other) => !other.startsWith("```"));
      at += 1;
      blocks.push(el("pre", {}, el("code", {}, code.join("\n"))));
    } else if (heading) {
      at += 1;
      blocks.push(el(`h${Math.max(2, heading[1].length)}`, {}, inline(heading[2])));
    } else if (/^\s*([-*]|\d+\.)\s/.test(line)) blocks.push(list(takeWhile((other) => /^\s*([-*]|\d+\.)\s/.test(other) || /^\s+\S/.test(other))));
    else blocks.push(el("p", {}, inline(takeWhile((other) => other.trim() && !/^(#{1,4}\s|```|\s*([-*]|\d+\.)\s)/.test(other)).join(" "))));
  }
  return blocks;
}

function list(lines) {
  const items = [];
  for (const line of lines) {
    const found = line.match(/^\s*(?:[-*]|\d+\.)\s+(.*)$/);
    if (found) items.push(found[1]);
    else items[items.length - 1] += ` ${line.trim()}`;
  }
  return el(/^\s*\d/.test(lines[0]) ? "ol" : "ul", {}, items.map((item) => el("li", {}, inline(item))));
}
