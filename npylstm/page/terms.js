// Sums taken apart: which products a pre-activation, or a gradient, is made of.

import { GATES } from "./data.js";
import { counted, el, exact, short } from "./dom.js";

const SHOWN = 6;

/** The products that make up a gate's pre-activation, and its bias. */
export function termsOfSum(lstm, now, gate) {
  const k = GATES.indexOf(gate);
  const column = k * lstm.allUnits + now.unit;
  const side = (name, kernel, dropout) =>
    Array.from(lstm.row(name, now.sample, now.t), (value, entry) => {
      const weight = lstm.weight(kernel, entry, k, now.unit);
      const dropped = lstm.dropout(dropout, now.sample, k, entry);
      return term(`${name}[${entry}]`, value * dropped, `${kernel}[${entry}, ${column}]`, weight);
    });
  const bias = lstm.bias(k, now.unit);
  return {
    x: side("x", "kernel", "x_dropout"),
    h: side("h_prev", "recurrent_kernel", "h_dropout"),
    bias: bias === null ? null : { name: `bias[${column}]`, factors: [], product: bias },
  };
}

/** The products by which a step's gates hand their gradients to an entry of x or h_prev. */
export function termsOfGradient(lstm, sample, t, kernel, entry) {
  const dropout = kernel === "kernel" ? "x_dropout" : "h_dropout";
  return GATES.flatMap((gate, k) => {
    const dropped = lstm.dropout(dropout, sample, k, entry);
    return Array.from(lstm.row(`dz_${gate}`, sample, t), (dz, unit) => {
      const weight = lstm.weight(kernel, entry, k, unit) * dropped;
      const column = k * lstm.allUnits + unit;
      return term(`dz_${gate}[${unit}]`, dz, `${kernel}[${entry}, ${column}]`, weight);
    });
  });
}

function term(left, a, right, b) {
  return { name: `${left} × ${right}`, factors: [a, b], product: a * b };
}

export function total(terms) {
  return terms.reduce((sum, one) => sum + one.product, 0);
}

/** A table of the largest terms, and what all others come to; `whole` is the sum. */
export function table(terms, whole, caption) {
  const sorted = [...terms].sort((a, b) => Math.abs(b.product) - Math.abs(a.product));
  const largest = sorted.slice(0, sorted.length === SHOWN + 1 ? SHOWN + 1 : SHOWN);
  const rest = whole - total(largest);
  const full = Math.max(...largest.map((one) => Math.abs(one.product)), Math.abs(rest)) || 1;
  const rows = largest.map((one) => {
    const product = one.factors.map((factor) => short(factor, 3)).join(" × ");
    return row(one.name, product, one.product, full);
  });
  const others = sorted.length - largest.length;
  if (others > 0) rows.push(row(`${counted(others, "other term")} together`, "", rest, full));
  return el(
    "table",
    { class: "terms" },
    el("caption", {}, caption),
    el("thead", { class: "hidden" }, el("tr", {}, ...["term", "product", "size"].map(heading))),
    el("tbody", {}, ...rows),
  );
}

function heading(text) {
  return el("th", { scope: "col" }, text);
}

function row(name, product, value, full) {
  const bar = el("span", { class: value < 0 ? "bar minus" : "bar plus" });
  bar.style.setProperty("--size", Math.min(Math.abs(value) / full, 1));
  const number = el("span", { class: "number", title: exact(value, false) }, short(value, 3));
  return el(
    "tr",
    {},
    el("th", { scope: "row" }, el("code", {}, name), el("small", {}, product)),
    el("td", { class: "bar-cell", "aria-hidden": "true" }, bar),
    el("td", {}, number),
  );
}
