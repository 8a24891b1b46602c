// The index page: ranks and scores over the materials that are left, with the weights that are set.
"use strict";
(() => {
  const { form } = filters;
  const numbers = JSON.parse(document.getElementById("numbers").textContent);
  const means = new averages.Averages(numbers);
  const weighting = new weights.Weights(form, numbers);
  const everything = numbers.materials.map((_, m) => m);
  // chemical systems have no space group; they count in averages, not in the number of materials
  const isMaterial = (m) => numbers.materials[m].group !== null;
  const metricOf = new Map(numbers.metrics.map((metric) => [metric.name, metric]));
  const tables = [...document.querySelectorAll("table.ranking")];
  const untouched = new Map(tables.map((table) => [table, table.tBodies[0].innerHTML]));
  const materialTable = document.getElementById("material-table");
  const crystalRows = [...document.querySelectorAll("#crystal-table tbody tr")];
  const shownModels = [...form.querySelectorAll("input[name=model]")];
  const plot = new costPlot.Plot(document.getElementById("cost"), numbers);
  const drawsOf = { key: null, made: null };

  /** Draws of the materials that are left: they outlast changes of weights. */
  function drawn(materials) {
    const key = materials.join();
    if (drawsOf.key !== key) Object.assign(drawsOf, { key, made: new draws.Draws(means, materials) });
    return drawsOf.made;
  }

  function heat(cell, value, text, share) {
    cell.textContent = text;
    cell.dataset.v = value === null ? "" : value;
    cell.classList.toggle("heat", share !== null);
    cell.removeAttribute("title");
    if (share !== null) cell.style.setProperty("--t", `${(100 * share).toFixed(1)}%`);
  }

  /** The scores of a list of models, their ranks and intervals, from the numbers alone. */
  function judge(models, materials, now) {
    const questions = models.map((model) => means.byQuestion(model, materials));
    const scores = questions.map((own) => means.combine(own, now));
    const ranks = averages.ranks(scores);
    const intervals = drawn(materials).intervals(models, scores, now);
    return models.map((model, k) => ({
      model,
      questions: questions[k],
      score: scores[k],
      rank: ranks[k],
      interval: intervals[k],
      coverage: means.coverage(model, materials, now),
    }));
  }

  function updateRow(row, found, materials) {
    const { score, interval, rank } = found;
    const cell = (name) => row.querySelector(`.${name}`);
    const text = interval ? wording.span(interval.score) : "";
    const ends = interval ? interval.rank.map((place, k) => (k ? Math.max : Math.min)(place, rank)) : [];
    const between = interval && ends[0] !== ends[1] ? ends.join("–") : "";
    const small = Object.assign(document.createElement("small"), { textContent: between });
    cell("rank").replaceChildren(rank === null ? "" : String(rank), ...(between ? [small] : []));
    cell("rank").dataset.v = rank ?? "";
    cell("score").querySelector("span").textContent = score === null ? "" : wording.points(score, 1);
    cell("score").querySelector("small").textContent = text;
    cell("score").dataset.v = score ?? "";
    const [low, high] = interval ? interval.score : [0, 0];
    const part = (share) => `${(100 * share).toFixed(1)}%`;
    cell("span").style.cssText = `--m:${part(score ?? 0)};--l:${part(low)};--w:${part(high - low)}`;
    cell("interval").querySelector("small").textContent = text;
    cell("interval").dataset.csv = text;
    for (const own of row.querySelectorAll("[data-question]")) {
      const value = found.questions[own.dataset.question];
      heat(own, value, value === null ? "" : wording.points(value), value);
    }
    for (const own of row.querySelectorAll(".raw")) {
      const metric = metricOf.get(own.dataset.metric);
      const value = means.metric(found.model, materials, metric.name);
      own.textContent = value === null ? "" : wording.number(value, metric.decimals, metric.signed);
      own.dataset.v = value ?? "";
    }
    cell("coverage").textContent = found.coverage === null ? "" : wording.percent(found.coverage);
    cell("coverage").classList.toggle("short", found.coverage !== null && found.coverage < 1);
    cell("coverage").dataset.v = found.coverage ?? "";
  }

  function updateRanking(table, materials, now, touched, single) {
    if (!touched) table.tBodies[0].innerHTML = untouched.get(table);
    const rows = [...table.tBodies[0].rows];
    const found = judge(rows.map((row) => Number(row.dataset.model)), materials, now);
    rows.forEach((row, k) => {
      if (touched) updateRow(row, found[k], materials);
      if (single || "unranked" in table.dataset) row.querySelector(".rank").textContent = "";
      row.hidden = !shownModels[Number(row.dataset.model)].checked;
    });
    // a question that nobody is asked here has no column, one without weight is pale
    for (const cell of table.querySelectorAll("[data-question]")) {
      const q = Number(cell.dataset.question);
      cell.hidden = found.every((own) => own.questions[q] === null);
      cell.classList.toggle("off", !now[q]);
    }
    sorting.again(table, 0);
    return found;
  }

  function worstOf(name, metric) {
    if (!metric || metric.ideal === null) return 0;
    const known = numbers.raw[name].flat().filter((value) => value !== null);
    return known.reduce((worst, value) => Math.max(worst, Math.abs(value - metric.ideal)), 0);
  }

  function shownOn(model, material, show, now) {
    if (show === "score") return means.combine(means.byMaterial[model][material], now);
    const q = numbers.questions.findIndex((question) => question.name === show);
    return q >= 0 ? means.byMaterial[model][material][q] : means.metric(model, [material], show);
  }

  function fillShown(cell, value, metric, worst) {
    if (value === null) return heat(cell, null, "", null);
    if (!metric) return heat(cell, value, wording.points(value), value);
    const whole = Number.isInteger(value) && metric.counts;
    const text = wording.number(value, whole ? 0 : metric.decimals, metric.signed);
    if (metric.ideal === null) return heat(cell, value, text, null);
    // best to worst of the table: the square root tells small errors apart
    const share = worst > 0 ? 1 - Math.sqrt(Math.abs(value - metric.ideal) / worst) : 1;
    return heat(cell, value, text, share);
  }

  function updateMaterials(left, show, now) {
    const metric = metricOf.get(show);
    const worst = worstOf(show, metric);
    for (const row of materialTable.tBodies[0].rows) {
      const material = Number(row.dataset.material);
      const values = numbers.models.map((_, model) => shownOn(model, material, show, now));
      // where nobody is asked there is nothing to show
      row.hidden = !left.includes(material) || values.every((value) => value === null);
      for (const cell of row.querySelectorAll("[data-model]")) {
        fillShown(cell, values[cell.dataset.model], metric, worst);
      }
    }
    const option = form.elements.show.selectedOptions[0];
    document.getElementById("shown").textContent = metric
      ? `Shown: ${option.textContent}; colours from the best to the worst value here.`
      : `Shown: ${option.textContent}, 0 to 100.`;
    sorting.again(materialTable);
  }

  /** Hide the columns of models that are hidden, in tables with a column a model. */
  function updateColumns() {
    for (const cell of document.querySelectorAll(".by-model [data-model]")) {
      cell.hidden = !shownModels[Number(cell.dataset.model)].checked;
    }
  }

  /** The materials on which something is asked that counts. */
  function counted(left, now) {
    const asked = (m, q) => numbers.models.some((_, k) => means.byMaterial[k][m][q] !== null);
    return left.filter((m) => now.some((weight, q) => weight && asked(m, q)));
  }

  function tellHow(left, found, touched, one) {
    const n = left.filter(isMaterial).length;
    filters.tell(n, everything.filter(isMaterial).length);
    const single = document.getElementById("single");
    single.hidden = !one;
    const nothing = document.getElementById("nothing");
    nothing.hidden = found.some((own) => own.score !== null);
    const hiddenModels = shownModels.filter((box) => !box.checked).length;
    const parts = [];
    if (touched) parts.push("Ranks and scores as filtered and weighted above.");
    if (weighting.said) parts.push(weighting.said);
    if (hiddenModels) parts.push(`${wording.count(hiddenModels, "model")} hidden; ranks are among all.`);
    const view = document.getElementById("view");
    view.textContent = parts.join(" ");
    view.hidden = !parts.length;
    tables.forEach((table) => (table.closest(".list").hidden = !nothing.hidden));
  }

  function update() {
    const left = everything.filter((m) => filters.fits(numbers.materials[m]));
    const now = weighting.values;
    const usual = numbers.questions.every((q, k) => q.weight === now[k]);
    const touched = left.length !== everything.length || !usual;
    const one = counted(left, now).length === 1;
    const found = tables.flatMap((table) => updateRanking(table, left, now, touched, one));
    updateMaterials(left, form.elements.show.value, now);
    for (const row of crystalRows) row.hidden = !left.includes(Number(row.dataset.material));
    updateColumns();
    tellHow(left, found, touched, one);
    plot.draw(found.filter((own) => shownModels[own.model].checked));
  }

  const own = ["question", "show"];
  const page = {
    defaults: { match: "any", preset: "all", show: "score" },
    recall(view) {
      filters.recall(view, [...filters.FIELDS, ...own]);
      weighting.recall(view);
      const hidden = new Set(view.hide ?? []);
      shownModels.forEach((box) => (box.checked = !hidden.has(box.value)));
    },
    view: () => ({
      ...filters.chosen([...filters.FIELDS, ...own]),
      ...weighting.view,
      hide: shownModels.filter((box) => !box.checked).map((box) => box.value),
    }),
    update,
  };
  filters.start(page);
})();
