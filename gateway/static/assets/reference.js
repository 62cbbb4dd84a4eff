// The API reference: reads /openapi.json and lays it out by chapter.

import { el, markdown } from "./dom.js";
import { operationView } from "./operation.js";
import { Schemas } from "./schema.js";
import { connectTokenField } from "./try.js";

const METHODS = ["get", "post", "put", "patch", "delete"];

function callsOf(description) {
  const calls = [];
  for (const [path, item] of Object.entries(description.paths)) {
    for (const method of METHODS) {
      const operation = item[method];
      if (!operation) continue;
      const title = operation.summary || operation.operationId || path;
      calls.push({ id: operation.operationId, method, path, operation, title, tag: (operation.tags || ["Other"])[0] });
    }
  }
  return calls;
}

function chaptersOf(description, calls) {
  const known = description.tags || [];
  const others = [...new Set(calls.map((call) => call.tag))].filter((name) => !known.some((tag) => tag.name === name));
  return [...known, ...others.map((name) => ({ name }))].map((tag) => ({ ...tag, id: `chapter-${slug(tag.name)}`, calls: calls.filter((call) => call.tag === tag.name) }));
}

function slug(name) {
  return name.toLowerCase().replace(/[^a-z0-9]+/g, "-");
}

function contents(chapters) {
  const groups = chapters.map((chapter) =>
    el(
      "details",
      { open: chapter === chapters[0] },
      el("summary", {}, chapter.name),
      chapter.calls.map((call) => el("a", { href: `#${call.id}`, "data-text": `${call.title} ${call.method} ${call.path}`.toLowerCase() }, el("span", { class: `method ${call.method}` }, short(call.method)), call.title)),
    ),
  );
  return [el("a", { href: "#introduction" }, "Introduction"), ...groups];
}

function short(method) {
  return method === "delete" ? "DEL" : method.toUpperCase();
}

function connectFilter(field, groups) {
  field.addEventListener("input", () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const group of groups) {
      let found = 0;
      for (const link of group.querySelectorAll("a")) {
        link.hidden = !words.every((word) => link.dataset.text.includes(word));
        found += link.hidden ? 0 : 1;
      }
      group.hidden = found === 0;
      group.open = words.length > 0;
    }
  });
}

// Marks the call in view in the contents.
function connectPosition(articles, links) {
  const byId = new Map([...links].map((link) => [link.hash.slice(1), link]));
  const observer = new IntersectionObserver(
    (entries) => {
      for (const entry of entries.filter((other) => other.isIntersecting)) {
        for (const link of links) link.removeAttribute("aria-current");
        const link = byId.get(entry.target.id);
        if (!link) continue;
        link.setAttribute("aria-current", "true");
        if (link.parentElement.tagName === "DETAILS") link.parentElement.open = true;
        showInside(document.getElementById("contents"), link);
      }
    },
    { rootMargin: "-10% 0px -80% 0px" },
  );
  for (const article of articles) observer.observe(article);
}

// Scrolls the contents alone: scrollIntoView would also stop the page on its way to an anchor.
function showInside(container, item) {
  const outer = container.getBoundingClientRect();
  const inner = item.getBoundingClientRect();
  if (inner.top < outer.top) container.scrollTop += inner.top - outer.top - 40;
  else if (inner.bottom > outer.bottom) container.scrollTop += inner.bottom - outer.bottom + 40;
}

function layOut(description) {
  const schemas = new Schemas(description);
  const chapters = chaptersOf(description, callsOf(description));
  const server = description.servers && description.servers[0] ? description.servers[0].url : location.origin;
  document.getElementById("version").textContent = `API reference · ${description.info.version}`;
  const links = contents(chapters);
  document.getElementById("chapters").replaceChildren(...links);
  const sections = chapters.map((chapter) =>
    el("section", { class: "chapter", id: chapter.id }, el("h2", {}, chapter.name), markdown(chapter.description), chapter.calls.map((call) => operationView(call, schemas, server))),
  );
  const introduction = el("section", { class: "introduction", id: "introduction" }, el("h1", {}, "The Lendery API"), el("p", { class: "soft" }, "Base address ", el("code", {}, server)), markdown(description.info.description));
  document.getElementById("content").replaceChildren(introduction, ...sections);
  connectFilter(document.getElementById("filter"), links.slice(1));
  connectPosition(document.querySelectorAll(".operation, .introduction"), document.querySelectorAll("#chapters a"));
}

function connectMenu() {
  const menu = document.getElementById("menu");
  const nav = document.getElementById("contents");
  const show = (open) => {
    nav.classList.toggle("open", open);
    menu.setAttribute("aria-expanded", String(open));
  };
  menu.addEventListener("click", () => show(!nav.classList.contains("open")));
  nav.addEventListener("click", (event) => event.target.closest("a") && show(false));
}

async function start() {
  connectTokenField(document.getElementById("token"));
  connectMenu();
  try {
    const answer = await fetch("/openapi.json");
    if (!answer.ok) throw new Error(`the description answered ${answer.status}`);
    const missing = answer.headers.get("x-missing-services");
    layOut(await answer.json());
    if (missing) document.getElementById("introduction").prepend(el("p", { class: "fault" }, `Not described right now, because they do not answer: ${missing}. Reload in a few seconds.`));
    if (location.hash) document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
  } catch (error) {
    document.getElementById("content").replaceChildren(el("p", { class: "fault" }, `The reference could not be shown: ${error.message}. The description itself is at `, el("a", { href: "/openapi.json" }, "/openapi.json"), "."));
  }
}

start();
