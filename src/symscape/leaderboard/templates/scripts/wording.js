// Numbers as the pages print them: the browser's are those of symscape.page.words.
"use strict";
const wording = (() => {
  const DASH = "–";

  function number(value, decimals, signed = false) {
    if (value === null || !Number.isFinite(value)) return DASH;
    let text = value.toFixed(decimals);
    if (Number(text) === 0) text = (0).toFixed(decimals);
    else if (signed && value > 0) text = "+" + text;
    return text.replace("-", "−");
  }

  const points = (score, decimals = 0) => number(score === null ? null : 100 * score, decimals);
  const percent = (share) => number(share >= 1 ? 100 : Math.min(100 * share, 99), 0) + " %";
  const span = (ends) => (ends ? ends.map((end) => points(end)).join("–") : "");
  const count = (n, noun) => `${n} ${noun}${n === 1 ? "" : "s"}`;

  return { DASH, number, points, percent, span, count };
})();
