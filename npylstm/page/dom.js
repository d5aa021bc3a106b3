// Elements, symbols and numbers as text. Text only ever becomes a text node, never markup.

const SVG = "http://www.w3.org/2000/svg";

/** Make an element; children are elements or texts, what is null is left out. */
export function el(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** Make an element of an SVG drawing. */
export function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) {
      node.setAttribute(name, value === true ? "" : String(value));
    }
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** The element of page.html with this id. */
export function byId(id) {
  return document.getElementById(id);
}

/** Write an axis's size and its word: "1 step", "3 steps". */
export function counted(count, word) {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}

/** Write a number with few digits; the minus sign is a real one. */
export function short(value, digits = 4) {
  if (!Number.isFinite(value)) return String(value).replace("-", "−");
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 100000) return String(value).replace("-", "−");
  const text =
    size < 0.001 || size >= 100000
      ? value.toExponential(digits - 1).replace("e+", "e")
      : value.toPrecision(digits);
  return text.replaceAll("-", "−");
}

/** Write a number in seven characters at most, unless it needs eight. */
export function tight(value) {
  const texts = [3, 2, 1].map((digits) => short(value, digits));
  return texts.find((text) => text.length <= 7) ?? texts.at(-1);
}

/** Write all digits that tell a number from its neighbours, in its own precision. */
export function exact(value, single) {
  let text = String(value);
  if (single && Number.isFinite(value)) {
    for (let digits = 1; digits <= 9; digits++) {
      text = String(Number(value.toPrecision(digits)));
      if (Math.fround(Number(text)) === value) break;
    }
  }
  return (Object.is(value, -0) ? "-0" : text).replaceAll("-", "−");
}

/** Write a share of one as percent, without calling anything but all of it 100 %. */
export function percent(share) {
  const shown = Math.round(share * 1000) / 10;
  if (shown === 100 && share < 1) return "more than 99.9 %";
  if (shown === 0 && share > 0) return "less than 0.1 %";
  return `${shown} %`;
}

const WORDS = {
  x: "input",
  h_prev: "old hidden state",
  c_prev: "old cell state",
  z_i: "sum for the input gate",
  z_f: "sum for the forget gate",
  z_g: "sum for the candidate",
  z_o: "sum for the output gate",
  i: "input gate",
  f: "forget gate",
  g: "candidate",
  o: "output gate",
  c: "cell state",
  tanh_c: "activated cell state",
  h: "hidden state",
};

export const ELEMENTS = Object.keys(WORDS);

/** What an element is called: "forget gate", or "gradient of the forget gate". */
export function word(element, gradients = false) {
  return gradients ? `gradient of the ${WORDS[element]}` : WORDS[element];
}

/** Typeset a name such as z_f, h_prev, dz_f, dc_next or tanh_c. */
export function symbol(name, activation = "tanh") {
  const gradient = /^d[a-z]/.test(name);
  const plain = gradient ? name.slice(1) : name;
  const node = el("span", { class: "symbol" });
  if (gradient) node.append(el("span", { class: "d" }, "d"));
  const [letter, below] = plain === "tanh_c" ? ["tanh_c", null] : plain.split("_");
  if (letter === "tanh_c") {
    node.append(`${activation}(`, el("var", {}, "c"), ")");
  } else {
    node.append(el("var", {}, letter));
    const subscript = { prev: "t−1", next: "t+1" }[below] ?? below;
    if (subscript) node.append(el("sub", {}, subscript));
  }
  return node;
}

/** The same as plain text, for labels that are read aloud. */
export function spoken(name, activation = "tanh") {
  return name
    .replace("tanh_c", `${activation}(c)`)
    .replace("_prev", " of the step before")
    .replace("_", " ");
}
