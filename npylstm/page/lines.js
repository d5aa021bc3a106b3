// A small plot of a few series through time.

import { el, short, svg } from "./dom.js";

const TALL = 84; // px
const ROOM = 5; // px above and below, for thick lines

/** Draw series of the same length into a container; `range` null takes in all of them and zero. */
export function drawLines(container, series, range, label) {
  const width = Math.max(container.clientWidth, 10);
  const [low, high] = range ?? reach(series);
  const count = series[0].length;
  const across = (t) => ((t + 0.5) / count) * width;
  const up = (value) => TALL - ROOM - ((value - low) / (high - low)) * (TALL - 2 * ROOM);
  const drawing = svg("svg", {
    ...{ role: "img", "aria-label": label, viewBox: `0 0 ${width} ${TALL}`, height: TALL },
    preserveAspectRatio: "none",
  });
  drawing.append(svg("path", { class: "zero", d: `M0 ${up(0)}H${width}` }));
  series.forEach((values, k) => {
    const points = values
      .map((value, t) => [across(t), up(value)])
      .filter(([, y]) => Number.isFinite(y));
    const shape = { class: `line line-${k}` };
    drawing.append(
      svg("path", {
        ...shape,
        d: points.map(([x, y], n) => `${n ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join(""),
      }),
    );
    if (count <= 40) {
      for (const [cx, cy] of points)
        drawing.append(svg("circle", { class: `dot line-${k}`, cx, cy, r: 2 }));
    }
  });
  const ends = el(
    "div",
    { class: "ends", "aria-hidden": "true" },
    el("span", {}, short(high, 2)),
    el("span", {}, short(low, 2)),
  );
  container.replaceChildren(drawing, ends);
}

function reach(series) {
  let [low, high] = [0, 0];
  for (const value of series.flat()) {
    if (value < low) low = value;
    if (value > high && value < Infinity) high = value;
  }
  if (low === -Infinity) low = 0;
  return high > low ? [low, high] : [0, 1];
}
