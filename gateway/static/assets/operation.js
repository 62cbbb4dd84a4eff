// One call: what it is for, what it takes, what it answers, and how to send it.

import { el, markdown } from "./dom.js";
import { tryForm } from "./try.js";

const EXAMPLE_ID = "01980a2e-7c3b-7b1e-9c55-2f6d0e1b4a77";

export function operationView(call, schemas, server) {
  const { id, method, path, operation } = call;
  const body = jsonBody(operation);
  return el(
    "article",
    { class: "operation", id },
    el(
      "div",
      {},
      el("h3", {}, el("a", { href: `#${id}` }, call.title)),
      el("div", { class: "address" }, el("span", { class: `method ${method}` }, method.toUpperCase()), el("span", {}, path), badges(operation)),
      markdown(operation.description),
      parameters(operation, schemas),
      body && [el("h4", {}, `Body · ${body.type}`), bodyFields(body.schema, schemas)],
      el("h4", {}, "Answers"),
      answers(operation, schemas),
    ),
    el("div", { class: "side" }, sample("Request", curl(call, server)), answerSample(operation), tryPart(call)),
  );
}

function badges(operation) {
  const open = operation.security && operation.security.length === 0;
  return [
    el("span", { class: "badge" }, open ? "no login needed" : "access token"),
    operation["x-roles"] && el("span", { class: "badge" }, `role ${operation["x-roles"].join(" or ")}`),
    operation["x-scope"] && el("span", { class: "badge", title: "What an API client needs in its token" }, `scope ${operation["x-scope"]}`),
    operation.deprecated && el("span", { class: "badge" }, "deprecated"),
  ];
}

function parameters(operation, schemas) {
  const shown = operation.parameters || [];
  const groups = [["path", "In the address"], ["query", "Query"], ["header", "Headers"]];
  return groups.map(([place, title]) => {
    const found = shown.filter((parameter) => parameter.in === place);
    if (!found.length) return null;
    const rows = found.map((parameter) =>
      schemas.field(parameter.name, { ...schemas.resolve(parameter.schema), description: parameter.description || schemas.resolve(parameter.schema).description }, parameter.required),
    );
    return [el("h4", {}, title), el("dl", { class: "fields" }, rows)];
  });
}

export function jsonBody(operation) {
  const content = operation.requestBody && operation.requestBody.content;
  if (!content) return null;
  const type = content["application/json"] ? "application/json" : Object.keys(content)[0];
  return { type, schema: content[type].schema, example: content[type].example ?? {} };
}

function bodyFields(schema, schemas) {
  const resolved = schemas.resolve(schema);
  if (resolved.properties) return schemas.fields(resolved);
  return el("dl", { class: "fields" }, schemas.field("body", resolved, true));
}

function answers(operation, schemas) {
  const rows = Object.entries(operation.responses || {}).map(([status, answer]) => {
    const schema = contentSchema(answer);
    const good = status.startsWith("2");
    const mark = el("span", { class: `status ${good ? "ok" : "bad"}` }, status === "default" ? "4xx, 5xx" : status);
    if (!schema || !schemas.resolve(schema).properties) return el("details", {}, el("summary", { class: "plain" }, mark, answer.description));
    return el("details", {}, el("summary", {}, mark, answer.description), schemas.fields(schema));
  });
  return el("div", { class: "answers" }, rows);
}

function contentSchema(answer) {
  const content = answer.content || {};
  const type = content["application/problem+json"] ? "application/problem+json" : Object.keys(content)[0];
  return type && content[type].schema;
}

function answerSample(operation) {
  const found = Object.entries(operation.responses || {}).find(([status]) => status.startsWith("2"));
  if (!found) return null;
  const [status, answer] = found;
  const content = (answer.content || {})["application/json"];
  if (!content || content.example === undefined) return null;
  return sample(`Answer · ${status}`, JSON.stringify(content.example, null, 2));
}

function curl(call, server) {
  const { method, path, operation } = call;
  const address = path.replace(/\{([^}]+)\}/g, (_, name) => {
    const parameter = (operation.parameters || []).find((other) => other.in === "path" && other.name === name);
    return parameter && parameter.schema.format === "uuid" ? EXAMPLE_ID : name;
  });
  const lines = [`curl ${method === "get" ? "" : `-X ${method.toUpperCase()} `}'${server}${address}'`];
  if (!(operation.security && operation.security.length === 0)) lines.push(`-H "Authorization: Bearer $TOKEN"`);
  if (takesKey(operation)) lines.push(`-H "Idempotency-Key: $(uuidgen)"`);
  const body = jsonBody(operation);
  if (body && body.type === "application/json") {
    const example = JSON.stringify(body.example, null, 2);
    lines.push("-H 'Content-Type: application/json'", `-d '${example.replace(/'/g, "'\\''")}'`);
  }
  return lines.join(" \\\n  ");
}

export function takesKey(operation) {
  return (operation.parameters || []).some((parameter) => parameter.in === "header" && parameter.name.toLowerCase() === "idempotency-key");
}

export function sample(title, text) {
  const copy = el("button", { type: "button" }, "Copy");
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text);
    copy.textContent = "Copied";
    setTimeout(() => (copy.textContent = "Copy"), 1500);
  });
  return el("div", { class: "sample" }, el("div", {}, el("span", {}, title), navigator.clipboard && copy), el("pre", { tabindex: "0" }, el("code", {}, text)));
}

function tryPart(call) {
  const part = el("details", { class: "inner" }, el("summary", {}, "Try it"));
  part.addEventListener("toggle", () => part.open && part.childElementCount === 1 && part.append(tryForm(call)));
  return part;
}
