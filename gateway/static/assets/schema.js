// JSON Schema for people: resolved, named and listed.

import { el, markdown } from "./dom.js";

const MAX_DEPTH = 8;

export class Schemas {
  constructor(description) {
    this.all = (description.components && description.components.schemas) || {};
  }

  // The schema itself: references followed, `X or null` reduced to X with `nullable`.
  resolve(schema, depth = 0) {
    if (!schema || depth > MAX_DEPTH) return {};
    if (schema.$ref) {
      const name = schema.$ref.split("/").pop();
      const { $ref, ...own } = schema;
      return { name, ...this.resolve(this.all[name], depth + 1), ...own };
    }
    if (schema.allOf && schema.allOf.length === 1) {
      const { allOf, ...own } = schema;
      return { ...this.resolve(allOf[0], depth + 1), ...own };
    }
    const choices = schema.anyOf || schema.oneOf;
    if (choices) {
      const real = choices.filter((choice) => choice.type !== "null");
      const nullable = real.length < choices.length || undefined;
      const { anyOf, oneOf, ...own } = schema;
      if (real.length === 1) return { ...this.resolve(real[0], depth + 1), ...own, nullable };
      return { ...own, nullable, choices: real.map((choice) => this.resolve(choice, depth + 1)) };
    }
    return schema;
  }

  typeName(given) {
    const schema = this.resolve(given);
    const orNull = schema.nullable ? " or null" : "";
    if (schema.choices) return schema.choices.map((choice) => this.typeName(choice)).join(" or ") + orNull;
    if (schema.const !== undefined) return JSON.stringify(schema.const) + orNull;
    if (schema.type === "array") return `list of ${this.typeName(schema.items)}${orNull}`;
    if (schema.enum) return `one of ${schema.enum.map((value) => JSON.stringify(value)).join(", ")}${orNull}`;
    const type = Array.isArray(schema.type) ? schema.type.join(" or ") : schema.type || (schema.properties ? "object" : "any");
    return (schema.format ? `${type} (${schema.format})` : type) + orNull;
  }

  rules(given) {
    const schema = this.resolve(given);
    const rules = [];
    const range = (low, high, unit) => {
      if (low !== undefined && low === high) rules.push(`${grouped(low)}${unit}`);
      else if (low !== undefined && high !== undefined) rules.push(`${grouped(low)} … ${grouped(high)}${unit}`);
      else if (low !== undefined) rules.push(`at least ${grouped(low)}${unit}`);
      else if (high !== undefined) rules.push(`at most ${grouped(high)}${unit}`);
    };
    range(schema.minimum, schema.maximum, "");
    range(schema.minLength, schema.maxLength, " characters");
    range(schema.minItems, schema.maxItems, " items");
    if (schema.exclusiveMinimum !== undefined) rules.push(`more than ${schema.exclusiveMinimum}`);
    if (schema.exclusiveMaximum !== undefined) rules.push(`less than ${schema.exclusiveMaximum}`);
    if (schema.default !== undefined && schema.default !== null) rules.push(`default ${JSON.stringify(schema.default)}`);
    return rules;
  }

  fields(given, depth = 0) {
    const schema = this.resolve(given);
    const required = new Set(schema.required || []);
    return el("dl", { class: "fields" }, Object.entries(schema.properties || {}).map(([name, property]) => this.field(name, property, required.has(name), depth)));
  }

  field(name, property, required, depth = 0, extra = null) {
    const schema = this.resolve(property);
    const rules = this.rules(schema);
    return el(
      "div",
      {},
      el("dt", {}, el("code", {}, name), el("span", { class: "type" }, this.typeName(schema)), required && el("span", { class: "required" }, "required"), extra),
      el("dd", {}, markdown(schema.description), rules.length > 0 && el("p", {}, rules.join(" · ")), this.inner(schema, depth)),
    );
  }

  inner(given, depth) {
    const schema = this.resolve(given);
    if (depth >= MAX_DEPTH) return null;
    if (schema.type === "array") return this.inner(schema.items, depth + 1);
    if (schema.choices) {
      const shown = schema.choices.filter((choice) => choice.properties);
      return shown.map((choice) => el("details", { class: "inner" }, el("summary", {}, choice.title || choice.name || "One form"), this.fields(choice, depth + 1)));
    }
    if (!schema.properties) return null;
    return el("details", { class: "inner", open: depth === 0 && Object.keys(schema.properties).length <= 4 }, el("summary", {}, `Fields of ${schema.title || schema.name || "the object"}`), this.fields(schema, depth + 1));
  }
}

function grouped(number) {
  return typeof number === "number" ? number.toLocaleString("en") : number;
}
