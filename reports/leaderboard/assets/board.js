// Sorting, filtering and averaging over what is left. Without this script the pages show all.
"use strict";
(() => {
  const DASH = "–";

  // -- numbers as the pages print them -----------------------------------------------------------

  function numberText(value, decimals, signed = false) {
    if (value === null || !Number.isFinite(value)) return DASH;
    let text = value.toFixed(decimals);
    if (Number(text) === 0) text = (0).toFixed(decimals);
    else if (signed && value > 0) text = "+" + text;
    return text.replace("-", "−");
  }

  function percentText(share) {
    return numberText(share >= 1 ? 100 : Math.min(100 * share, 99), 0) + " %";
  }

  function mean(values) {
    const known = values.filter((v) => v !== null && Number.isFinite(v));
    return known.length ? known.reduce((a, b) => a + b, 0) / known.length : null;
  }

  // -- sorting -----------------------------------------------------------------------------------

  function sortKey(cell) {
    const text = cell.dataset.v ?? cell.textContent.trim();
    if (text === "" || text === DASH) return null;
    return Number.isNaN(Number(text)) ? text.toLowerCase() : Number(text);
  }

  function compare(a, b, direction) {
    // what is unknown stays at the end
    if (a === null || b === null) return (a === null) - (b === null);
    if (typeof a === typeof b) return direction * (a < b ? -1 : a > b ? 1 : 0);
    return direction * (typeof a === "number" ? -1 : 1);
  }

  function sortTable(table, column, direction) {
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row, place) => ({ row, place, key: sortKey(row.cells[column]) }));
    rows.sort((a, b) => compare(a.key, b.key, direction) || a.place - b.place);
    body.append(...rows.map((entry) => entry.row));
    [...table.tHead.rows[0].cells].forEach((head, k) => {
      if (k === column) head.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
      else head.removeAttribute("aria-sort");
    });
  }

  function makeSortable(table) {
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
        sortTable(table, column, now === null ? first : now === "ascending" ? -1 : 1);
      });
    });
  }

  function sortAgain(table) {
    const head = table.tHead.querySelector("th[aria-sort]");
    if (head) sortTable(table, head.cellIndex, head.getAttribute("aria-sort") === "ascending" ? 1 : -1);
  }

  // -- filtering ---------------------------------------------------------------------------------

  function wantedElements(form) {
    const words = form.elements.contains.value.split(/[\s,;]+/).filter(Boolean);
    return words.map((word) => word[0].toUpperCase() + word.slice(1).toLowerCase());
  }

  function fits(form, material) {
    const { system, group } = form.elements;
    return (
      wantedElements(form).every((symbol) => material.elements.includes(symbol)) &&
      (!system.value || material.system === system.value) &&
      (!group.value || String(material.group) === group.value)
    );
  }

  function rememberInAddress(form) {
    const chosen = new URLSearchParams();
    for (const field of form.elements) {
      if (field.name && field.value && field.type !== "submit" && field.tagName !== "OUTPUT") {
        if (!(field.name === "show" && field.value === "score")) chosen.set(field.name, field.value);
      }
    }
    const text = chosen.toString();
    if (text || location.hash.includes("=")) history.replaceState(null, "", "#" + text);
  }

  function recallFromAddress(form) {
    if (!location.hash.includes("=")) return;
    for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
      const field = form.elements[name];
      if (!field || field.tagName === "OUTPUT") continue;
      const known = field.tagName !== "SELECT" || [...field.options].some((o) => o.value === value);
      if (known) field.value = value;
    }
  }

  function countText(form, left, all) {
    form.elements.count.value = left === all ? `${all} materials` : `${left} of ${all} materials`;
  }

  function onFilter(form, update) {
    form.hidden = false;
    const changed = () => {
      update();
      rememberInAddress(form);
    };
    form.addEventListener("input", changed);
    form.addEventListener("submit", (event) => event.preventDefault());
    // the fields are cleared after the event
    form.addEventListener("reset", () => setTimeout(changed));
    recallFromAddress(form);
    update();
  }

  // -- the index page ----------------------------------------------------------------------------

  /** Scores as in symscape.leaderboard.scores: over slices, then materials, then questions. */
  class Averages {
    constructor(numbers) {
      this.numbers = numbers;
      this.weights = numbers.questions.map((q) => q.weight);
    }

    onMaterial(model, material, question) {
      const cells = this.numbers.cells[model];
      return mean(this.numbers.materials[material].units.map((k) => cells[k][question]));
    }

    question(model, materials, question) {
      return mean(materials.map((m) => this.onMaterial(model, m, question)));
    }

    score(model, materials) {
      let sum = 0;
      let total = 0;
      this.weights.forEach((weight, q) => {
        const value = this.question(model, materials, q);
        if (value !== null) {
          sum += weight * value;
          total += weight;
        }
      });
      return total ? sum / total : null;
    }

    metric(model, materials, name) {
      const values = this.numbers.raw[name][model];
      return mean(materials.map((m) => mean(this.numbers.materials[m].units.map((k) => values[k]))));
    }

    shown(model, materials, show) {
      const question = this.numbers.questions.findIndex((q) => q.name === show);
      if (question >= 0) return this.question(model, materials, question);
      return show === "score" ? this.score(model, materials) : this.metric(model, materials, show);
    }
  }

  function fillHeat(cell, value, text, share) {
    cell.textContent = text;
    cell.dataset.v = value === null ? "" : value;
    cell.classList.toggle("heat", share !== null);
    cell.classList.toggle("none", value === null);
    if (share !== null) cell.style.setProperty("--t", `${(100 * share).toFixed(1)}%`);
  }

  function startIndex(numbers) {
    const form = document.getElementById("filters");
    const averages = new Averages(numbers);
    const everything = numbers.materials.map((_, m) => m);
    // chemical systems have no space group; they count in averages, not in the number of materials
    const onlyMaterials = (list) => list.filter((m) => numbers.materials[m].group !== null);
    const tables = [...document.querySelectorAll("table.ranking")];
    const untouched = new Map(tables.map((table) => [table, table.tBodies[0].innerHTML]));
    const materialTable = document.getElementById("material-table");
    const metricOf = new Map(numbers.metrics.map((metric) => [metric.name, metric]));

    function updateRow(row, materials) {
      const model = Number(row.dataset.model);
      const score = averages.score(model, materials);
      const cells = [...row.cells];
      cells[2].querySelector("span").textContent = numberText(score === null ? null : 100 * score, 1);
      cells[2].querySelector("small").textContent = "";
      cells[2].dataset.v = score ?? "";
      const bar = cells[3].querySelector(".span");
      bar.style.cssText = `--m:${(100 * (score ?? 0)).toFixed(1)}%`;
      cells[3].querySelector("small").textContent = DASH;
      cells[3].dataset.v = "";
      numbers.questions.forEach((_, q) => {
        const value = averages.question(model, materials, q);
        fillHeat(cells[4 + q], value, numberText(value === null ? null : 100 * value, 0), value);
      });
      for (const cell of row.querySelectorAll(".raw")) {
        const metric = metricOf.get(cell.dataset.metric);
        const value = averages.metric(model, materials, metric.name);
        cell.textContent = numberText(value, metric.decimals, metric.signed);
        cell.dataset.v = value ?? "";
      }
      row.querySelector(".coverage").textContent = DASH;
      row.querySelector(".coverage").dataset.v = "";
      return score;
    }

    function updateRanking(table, materials) {
      const body = table.tBodies[0];
      const head = [...table.tHead.rows[0].cells].findIndex((cell) => cell.ariaSort);
      if (materials.length === everything.length) {
        body.innerHTML = untouched.get(table);
      } else {
        const rows = [...body.rows];
        const scores = rows.map((row) => updateRow(row, materials));
        rows.forEach((row, k) => {
          const better = scores.filter((s) => s !== null && s > (scores[k] ?? -1) + 1e-9).length;
          const rank = row.cells[0];
          rank.textContent = scores[k] === null ? DASH : String(1 + better);
          rank.dataset.v = scores[k] === null ? "" : 1 + better;
        });
        if (head < 0) sortTable(table, 0, 1);
      }
      sortAgain(table);
    }

    function updateMaterials(show) {
      const metric = metricOf.get(show);
      const heads = materialTable.tHead.rows[0].cells.length - numbers.models.length;
      const distance = (value) => Math.abs(value - metric.ideal);
      let worst = 0;
      if (metric && metric.ideal !== null) {
        for (const values of numbers.raw[show]) {
          for (const value of values) if (value !== null) worst = Math.max(worst, distance(value));
        }
      }
      for (const row of materialTable.tBodies[0].rows) {
        const material = [Number(row.dataset.material)];
        numbers.models.forEach((_, model) => {
          const value = averages.shown(model, material, show);
          const cell = row.cells[heads + model];
          if (value === null) fillHeat(cell, null, DASH, null);
          else if (!metric) fillHeat(cell, value, numberText(100 * value, 0), value);
          else {
            // best to worst of the table: the square root tells small errors apart
            const share = worst > 0 ? 1 - Math.sqrt(distance(value) / worst) : null;
            const text = numberText(value, metric.decimals, metric.signed);
            fillHeat(cell, value, text, metric.ideal === null ? null : share ?? 1);
          }
        });
      }
      const option = form.elements.show.selectedOptions[0];
      document.getElementById("shown").textContent = metric
        ? `Shown: ${option.textContent}; colours from the best to the worst value here.`
        : `Shown: ${option.textContent}, 0 to 100.`;
      sortAgain(materialTable);
    }

    onFilter(form, () => {
      const left = everything.filter((m) => fits(form, numbers.materials[m]));
      countText(form, onlyMaterials(left).length, onlyMaterials(everything).length);
      tables.forEach((table) => updateRanking(table, left));
      updateMaterials(form.elements.show.value);
      for (const row of materialTable.tBodies[0].rows) {
        row.hidden = !left.includes(Number(row.dataset.material));
      }
    });
  }

  // -- a model's page ----------------------------------------------------------------------------

  function startModel(form) {
    const rows = [...document.getElementById("material-table").tBodies[0].rows];
    onFilter(form, () => {
      let left = 0;
      for (const row of rows) {
        const { elements, system, group } = row.dataset;
        row.hidden = !fits(form, { elements: elements.split(" "), system, group });
        left += !row.hidden;
      }
      countText(form, left, rows.length);
    });
  }

  document.querySelectorAll("table.sortable").forEach(makeSortable);
  const numbers = document.getElementById("numbers");
  const form = document.getElementById("filters");
  if (numbers) startIndex(JSON.parse(numbers.textContent));
  else if (form) startModel(form);
})();
