"use strict";
// tables sort by their heads, filter by a word and download as CSV; drawings download as SVG or PNG
(() => {
  const plain = (cell) => cell.textContent.replace(/[\s\u00ad]+/g, (s) => (s === "\u00ad" ? "" : " ")).trim();
  // a bar over a digit as people type it: Im-3m
  const typed = (text) => text.replace(/(.)\u0305/gu, "-$1");
  const number = (text) => (/^[+−-]?\d/.test(text) ? parseFloat(text.replace("−", "-")) : NaN);

  function make(tag, options, text = "") {
    return Object.assign(document.createElement(tag), { textContent: text, ...options });
  }

  function save(name, href) {
    make("a", { download: name, href }).click();
  }

  function nameOf(element) {
    const heads = [...document.querySelectorAll("h1, h2, h3, h4, [data-slice]")];
    const above = heads.filter((h) => h.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING);
    return plain(above.at(-1) ?? document.querySelector("title")).replace(/[^\p{L}\p{N}]+/gu, "-").slice(0, 80);
  }

  function csv(table) {
    const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
    const value = (cell) => {
      const text = typed(plain(cell)).replace(/^−(?=\d)/, "-");
      return quoted(text === "–" ? "" : text);
    };
    return [...table.rows].map((row) => [...row.cells].map(value).join(",")).join("\n") + "\n";
  }

  // what the page's style says of a drawing has to travel with it
  const STYLES = ["fill", "stroke", "stroke-width", "stroke-dasharray", "opacity", "font-size", "font-family", "text-anchor"];

  function svgText(svg) {
    const copy = svg.cloneNode(true);
    const [from, to] = [svg, copy].map((s) => [s, ...s.querySelectorAll("*")]);
    from.forEach((element, k) => {
      const style = getComputedStyle(element);
      for (const name of STYLES) to[k].style.setProperty(name, style.getPropertyValue(name));
    });
    copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    copy.style.background = getComputedStyle(document.body).backgroundColor;
    return new XMLSerializer().serializeToString(copy);
  }

  function button(kind, what, act) {
    const element = make("button", { type: "button", className: "get", onclick: act }, kind);
    element.setAttribute("aria-label", `${kind} of ${what}`);
    return element;
  }

  function offer(root) {
    const fresh = (selector) => [...root.querySelectorAll(selector)].filter((e) => !e.dataset.offered && !e.closest("details:not([open])"));
    const done = (element) => { element.dataset.offered = "1"; };
    for (const table of fresh("table")) {
      done(table);
      const what = nameOf(table);
      const link = button("CSV", `the table ${what}`, () => save(`${what}.csv`, URL.createObjectURL(new Blob([csv(table)], { type: "text/csv" }))));
      (table.closest(".scroll") ?? table).after(link);
    }
    for (const svg of fresh("figure svg")) {
      done(svg);
      const what = svg.getAttribute("aria-label").split(":")[0];
      svg.closest("figure").append(button("SVG", what, () => save(`${what.replace(/[^\p{L}\p{N}]+/gu, "-")}.svg`, URL.createObjectURL(new Blob([svgText(svg)], { type: "image/svg+xml" })))));
    }
    for (const image of fresh("figure img")) {
      done(image);
      const what = nameOf(image);
      image.closest("figure").append(button("PNG", `the figure of ${what}`, () => save(image.currentSrc.split("/").at(-1), image.currentSrc)));
    }
    for (const canvas of fresh(".maps canvas")) {
      done(canvas);
      canvas.parentElement.append(button("PNG", canvas.getAttribute("aria-label"), () => save(`${canvas.getAttribute("aria-label")}.png`, canvas.toDataURL())));
    }
  }

  function sort(table, column, direction) {
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row, place) => {
      const text = plain(row.cells[column]);
      const value = number(text);
      return { row, place, key: text === "–" || text === "" ? null : Number.isNaN(value) ? text.toLowerCase() : value };
    });
    rows.sort((a, b) => {
      // what is unknown stays at the end
      if (a.key === null || b.key === null) return (a.key === null) - (b.key === null) || a.place - b.place;
      return direction * (a.key < b.key ? -1 : a.key > b.key ? 1 : 0) || a.place - b.place;
    });
    body.append(...rows.map((entry) => entry.row));
    [...table.tHead.rows[0].cells].forEach((head, k) => {
      if (k === column) head.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
      else head.removeAttribute("aria-sort");
    });
  }

  for (const table of document.querySelectorAll("table.sortable")) {
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const press = make("button", { type: "button", className: "sort" });
      press.append(...head.childNodes);
      head.append(press);
      press.onclick = () => sort(table, column, head.ariaSort === "ascending" ? -1 : 1);
    });
    const field = make("input", { type: "search", autocomplete: "off" });
    const count = make("output", {});
    const update = () => {
      const words = field.value.toLowerCase().split(/\s+/);
      const rows = [...table.tBodies[0].rows];
      for (const row of rows) {
        const text = plain(row).toLowerCase();
        row.hidden = !words.every((word) => text.includes(word) || typed(text).includes(word));
      }
      count.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length}`;
    };
    field.oninput = update;
    const label = make("label", {}, "Search ");
    label.append(field);
    const form = make("form", { className: "filter", onsubmit: () => false });
    form.append(label, count);
    (table.closest(".scroll") ?? table).before(form);
    update();
  }

  offer(document);
  // after what else a card does when it is opened: it draws its maps
  document.addEventListener("toggle", (event) => setTimeout(offer, 0, event.target), true);
})();
