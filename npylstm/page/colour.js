// One diverging scale for everything: orange below zero, blue above, and zero is the paper itself.
// Blue and orange stay apart for all kinds of colour blindness.

const LIGHT = {
  zero: [247, 246, 243],
  plus: [
    [146, 190, 222],
    [0, 114, 178],
    [0, 48, 92],
  ],
  minus: [
    [244, 184, 146],
    [213, 94, 0],
    [110, 42, 0],
  ],
};
const DARK = {
  zero: [34, 37, 42],
  plus: [
    [31, 80, 118],
    [64, 146, 206],
    [178, 220, 250],
  ],
  minus: [
    [122, 62, 24],
    [222, 118, 44],
    [255, 214, 176],
  ],
};
const STOPS = 256;
const NOT_A_NUMBER = [200, 0, 200];

const dark = window.matchMedia("(prefers-color-scheme: dark)");
let tables = null;

/** Call when light and dark are exchanged. */
export function onTheme(listener) {
  dark.addEventListener("change", () => {
    tables = null;
    listener();
  });
}

function side(zero, stops) {
  const points = [zero, ...stops];
  return Array.from({ length: STOPS + 1 }, (_, k) => {
    const place = (k / STOPS) * stops.length;
    const low = Math.min(Math.floor(place), stops.length - 1);
    const share = place - low;
    return points[low].map((value, c) => Math.round(value + share * (points[low + 1][c] - value)));
  });
}

/** Red, green and blue of a number whose largest size is `scale`. */
export function colour(value, scale) {
  if (!tables) {
    const theme = dark.matches ? DARK : LIGHT;
    tables = { plus: side(theme.zero, theme.plus), minus: side(theme.zero, theme.minus) };
  }
  if (Number.isNaN(value)) return NOT_A_NUMBER;
  const share = Math.min(Math.abs(value) / scale, 1);
  // What is not zero does not look like zero: the first stop is kept for zero itself.
  const stop = share === 0 ? 0 : Math.max(1, Math.round(share * STOPS));
  return (value < 0 ? tables.minus : tables.plus)[stop];
}

/** The same for a stylesheet. */
export function css(value, scale) {
  return `rgb(${colour(value, scale).join(" ")})`;
}

/** Paint a matrix into a canvas, one pixel an entry; `entry(row, column)` gives the numbers. */
export function paint(canvas, rows, columns, entry, scale) {
  canvas.width = columns;
  canvas.height = rows;
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns, rows);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      image.data.set([...colour(entry(row, column), scale), 255], (row * columns + column) * 4);
    }
  }
  context.putImageData(image, 0, 0);
}
