// A table as it is seen, as CSV. Nothing leaves the page: the file is in the link.
"use strict";
const download = (() => {
  function field(text) {
    // spreadsheets run what begins so
    const safe = /^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
    return /[",\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  }

  function titleOf(head) {
    const own = head.cloneNode(true);
    const unit = own.querySelector("small");
    unit?.remove();
    const words = own.textContent.replaceAll("\u00ad", "").trim().replace(/\s+/g, " ");
    return unit ? `${words} (${unit.textContent.trim()})` : words;
  }

  function valueOf(cell) {
    const text = cell.dataset.csv ?? cell.dataset.v ?? cell.textContent.trim().replace(/\s+/g, " ");
    return text === wording.DASH ? "" : text;
  }

  /** CSV of the rows and columns that are not hidden; pictures are left out. */
  function csvOf(table) {
    const heads = [...table.tHead.rows[0].cells];
    const columns = heads.map((_, k) => k).filter((k) => !heads[k].matches(".nosort, [hidden]"));
    const rows = [...table.tBodies[0].rows].filter((row) => !row.hidden);
    const lines = [columns.map((k) => titleOf(heads[k]))];
    for (const row of rows) lines.push(columns.map((k) => valueOf(row.cells[k])));
    return lines.map((line) => line.map(field).join(",")).join("\n") + "\n";
  }

  for (const button of document.querySelectorAll("button[data-csv]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const link = document.createElement("a");
      const table = document.getElementById(button.dataset.csv);
      link.href = "data:text/csv;charset=utf-8," + encodeURIComponent(csvOf(table));
      link.download = `${button.dataset.name}.csv`;
      link.click();
    });
  }
  return { csvOf };
})();
