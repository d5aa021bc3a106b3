// One small box that says the exact number under the pointer, or of what has the focus.

import { byId } from "./dom.js";

const EDGE = 8;

/** Show a text beside a point of the window. */
export function showTip(text, x, y) {
  const tip = byId("tip");
  tip.textContent = text;
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  const right = document.documentElement.clientWidth - width - EDGE;
  tip.style.left = `${Math.max(EDGE, Math.min(x - width / 2, right))}px`;
  tip.style.top = `${y - height - 14 < EDGE ? y + 22 : y - height - 14}px`;
}

export function hideTip() {
  byId("tip").hidden = true;
}

/** Let an element say something where the pointer is; `text(event)` may answer null. */
export function tipOnHover(node, text) {
  node.addEventListener("pointermove", (event) => {
    const said = text(event);
    if (said) showTip(said, event.clientX, event.clientY);
    else hideTip();
  });
  node.addEventListener("pointerleave", hideTip);
}

/** Let an element say something while it has the focus by keyboard. */
export function tipOnFocus(node, text) {
  const show = () => {
    if (!node.matches(":focus-visible")) return;
    const box = node.getBoundingClientRect();
    showTip(text(), box.left + box.width / 2, box.top);
  };
  node.addEventListener("focus", show);
  node.addEventListener("blur", hideTip);
  return show;
}
