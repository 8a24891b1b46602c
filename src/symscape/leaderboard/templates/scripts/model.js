// A model's page: its materials are filtered; the line for its badge is copied.
"use strict";
(() => {
  const rows = [...document.getElementById("material-table").tBodies[0].rows];
  const page = {
    defaults: { formula: "", match: "any", system: "", group: "" },
    recall: (view) => filters.recall(view, filters.FIELDS),
    view: () => filters.chosen(filters.FIELDS),
    update() {
      let left = 0;
      for (const row of rows) {
        const { elements: own, system, group } = row.dataset;
        row.hidden = !filters.fits({ elements: own.split(" "), system, group });
        left += !row.hidden;
      }
      filters.tell(left, rows.length, "slice");
    },
  };
  filters.start(page);

  /** The badge's line with addresses from which it can be reached, where the page has one. */
  const line = document.getElementById("badge-line");
  const whole = (path) => new URL(path, document.baseURI).href;
  const { badge, words } = line.dataset;
  if (location.protocol !== "file:") {
    line.textContent = `[![${words}](${whole(badge)})](${whole(location.pathname)})`;
  }
  const button = document.getElementById("copy-badge");
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(line.textContent);
    button.textContent = "copied";
  });
})();
