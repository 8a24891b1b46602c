// Tables whose rows are put in order by a click on the head of a column.
"use strict";
const sorting = (() => {
  function keyOf(cell) {
    const text = cell.dataset.v ?? cell.textContent.trim();
    if (text === "" || text === wording.DASH) return null;
    return Number.isNaN(Number(text)) ? text.toLowerCase() : Number(text);
  }

  const names = new Intl.Collator("en", { numeric: true });

  function compare(a, b, direction) {
    // what is unknown stays at the end
    if (a === null || b === null) return (a === null) - (b === null);
    // numbers within names are in the order of their values: group 2 before group 10
    if (typeof a === "string" && typeof b === "string") return direction * names.compare(a, b);
    if (typeof a === typeof b) return direction * (a - b);
    return direction * (typeof a === "number" ? -1 : 1);
  }

  function order(table, column, direction) {
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row, place) => ({ row, place, key: keyOf(row.cells[column]) }));
    rows.sort((a, b) => compare(a.key, b.key, direction) || a.place - b.place);
    body.append(...rows.map((entry) => entry.row));
  }

  function sort(table, column, direction) {
    order(table, column, direction);
    [...table.tHead.rows[0].cells].forEach((head, k) => {
      if (k === column) head.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
      else head.removeAttribute("aria-sort");
    });
  }

  function enable(table) {
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      if (head.classList.contains("nosort")) return;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      // scores and most numbers: highest first; names and errors: lowest first
      const first = Number(head.dataset.order ?? (head.classList.contains("n") ? -1 : 1));
      button.addEventListener("click", () => {
        const now = head.getAttribute("aria-sort");
        sort(table, column, now === null ? first : now === "ascending" ? -1 : 1);
      });
    });
  }

  /** Put the rows in the order that was last asked for; by their first column before that. */
  function again(table, column = null) {
    const head = table.tHead.querySelector("th[aria-sort]");
    if (head) sort(table, head.cellIndex, head.getAttribute("aria-sort") === "ascending" ? 1 : -1);
    else if (column !== null) order(table, column, 1);
  }

  document.querySelectorAll("table.sortable").forEach(enable);
  return { again };
})();
