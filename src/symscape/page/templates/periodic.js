"use strict";
// periodic tables that answer: one stop of the tab key each, arrow keys from element to element
(() => {
  const KEYS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  const place = (cell) => [Number(cell.dataset.row), Number(cell.dataset.column)];

  // the nearest cell in a direction: in the same row or column, over gaps
  function beyond(cells, from, [down, right]) {
    const [row, column] = place(from);
    const away = (cell) => {
      const [r, c] = place(cell);
      return right ? (r === row ? right * (c - column) : 0) : c === column ? down * (r - row) : 0;
    };
    const there = cells.filter((cell) => away(cell) > 0);
    return there.reduce((best, cell) => (away(cell) < away(best) ? cell : best), there[0]);
  }

  for (const svg of document.querySelectorAll("svg.periodic")) {
    const cells = [...svg.querySelectorAll(".cell")];
    const readout = svg.parentElement.querySelector(".readout");
    let told = null, tapped = null;

    function tell(cell) {
      if (told === cell) return;
      told = cell;
      readout.textContent = cell.getAttribute("aria-label");
      const address = cell.getAttribute("href");
      if (address) {
        const link = Object.assign(document.createElement("a"), { href: address, textContent: "its rows" });
        readout.append("; ", link);
      }
    }

    function reach(cell) {
      for (const other of cells) other.setAttribute("tabindex", other === cell ? 0 : -1);
      tell(cell);
    }

    for (const cell of cells) {
      cell.addEventListener("focus", () => reach(cell));
      cell.addEventListener("pointerenter", () => tell(cell));
      cell.addEventListener("click", (event) => {
        // the first tap of a finger tells, as a pointer does by being there; the second one goes
        if (event.pointerType === "touch" && tapped !== cell) event.preventDefault();
        tapped = cell;
        tell(cell);
      });
      cell.addEventListener("keydown", (event) => {
        const step = KEYS[event.key];
        if (!step) return;
        event.preventDefault();
        beyond(cells, cell, step)?.focus();
      });
    }
  }
})();
