// Sends a call from the page, with the token of the bar above.

import { el } from "./dom.js";
import { jsonBody, sample, takesKey } from "./operation.js";

const KEPT_TOKEN = "lendery access token";

export function connectTokenField(field) {
  field.value = sessionStorage.getItem(KEPT_TOKEN) || "";
  field.addEventListener("input", () => sessionStorage.setItem(KEPT_TOKEN, field.value.trim()));
}

export function tryForm(call) {
  const { operation } = call;
  const inputs = (operation.parameters || [])
    .filter((parameter) => parameter.in !== "cookie" && parameter.name.toLowerCase() !== "idempotency-key")
    .map((parameter) => ({ parameter, input: el("input", { placeholder: parameter.required ? "required" : "optional", spellcheck: "false" }) }));
  const body = jsonBody(operation);
  const bodyInput = body && el("textarea", { spellcheck: "false", "aria-label": "Body" });
  if (bodyInput) bodyInput.value = JSON.stringify(body.example, null, 2);
  const send = el("button", { type: "submit", class: "main" }, "Send");
  const outcome = el("div", { class: "outcome", "aria-live": "polite" });
  const form = el("form", { class: "try" }, inputs.map(({ parameter, input }) => el("label", {}, `${parameter.name} (${parameter.in})`, input)), bodyInput, el("div", {}, send), outcome);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    send.disabled = true;
    try {
      outcome.replaceChildren(...(await exchange(call, inputs, body, bodyInput)));
    } catch (error) {
      outcome.replaceChildren(el("p", { class: "status bad" }, `Not sent: ${error.message}`));
    } finally {
      send.disabled = false;
    }
  });
  return form;
}

async function exchange(call, inputs, body, bodyInput) {
  const { address, headers } = filledIn(call, inputs);
  const token = sessionStorage.getItem(KEPT_TOKEN);
  if (token) headers.set("Authorization", `Bearer ${token}`);
  if (takesKey(call.operation)) headers.set("Idempotency-Key", crypto.randomUUID ? crypto.randomUUID() : String(Math.random()).slice(2));
  const options = { method: call.method.toUpperCase(), headers };
  if (body && bodyInput.value.trim()) {
    options.body = body.type === "application/x-www-form-urlencoded" ? new URLSearchParams(JSON.parse(bodyInput.value)) : bodyInput.value;
    if (body.type === "application/json") headers.set("Content-Type", body.type);
  }
  const started = performance.now();
  const answer = await fetch(address, options);
  const text = await answer.text();
  const milliseconds = Math.round(performance.now() - started);
  keepToken(text);
  return [
    el("div", {}, el("span", { class: `status ${answer.ok ? "ok" : "bad"}` }, String(answer.status)), `${milliseconds} ms · request ${answer.headers.get("x-request-id") || "without id"}`),
    text ? sample("Answer", pretty(text)) : null,
  ].filter(Boolean);
}

function filledIn(call, inputs) {
  let path = call.path;
  const query = new URLSearchParams();
  const headers = new Headers();
  for (const { parameter, input } of inputs) {
    const value = input.value.trim();
    if (!value && parameter.required) throw new Error(`${parameter.name} is required`);
    if (!value) continue;
    if (parameter.in === "path") path = path.replace(`{${parameter.name}}`, encodeURIComponent(value));
    else if (parameter.in === "query") query.append(parameter.name, value);
    else headers.set(parameter.name, value);
  }
  return { address: query.size ? `${path}?${query}` : path, headers };
}

// Logging in from the page is enough to be logged in on the page.
function keepToken(text) {
  try {
    const { access_token: token } = JSON.parse(text);
    if (typeof token !== "string") return;
    sessionStorage.setItem(KEPT_TOKEN, token);
    document.getElementById("token").value = token;
  } catch {
    // Not JSON: nothing to keep.
  }
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
