// Cost against accuracy: a point for each model, with its score as it is weighted now.
"use strict";
const costPlot = (() => {
  const NAMESPACE = "http://www.w3.org/2000/svg";
  /** Below this width there is room for numbers, and the names stand below the plot. */
  const NARROW = 600;
  const BOX = { left: 46, right: 120, top: 14, bottom: 46, height: 340 };

  function make(name, attributes, text = "") {
    const element = document.createElementNS(NAMESPACE, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.textContent = text;
    return element;
  }

  /** Powers of ten around some positive values, and the shares of the axis at which they lie. */
  function logarithmic(values) {
    const low = Math.floor(Math.log10(Math.min(...values)) - 1e-9);
    const high = Math.max(Math.ceil(Math.log10(Math.max(...values)) + 1e-9), low + 1);
    const place = (value) => (Math.log10(value) - low) / (high - low);
    const ticks = Array.from({ length: high - low + 1 }, (_, k) => 10 ** (low + k));
    return { place, ticks };
  }

  const byScore = (points) => [...points].sort((a, b) => b.score - a.score);

  class Plot {
    constructor(figure, numbers) {
      this.figure = figure;
      this.numbers = numbers;
      this.cost = figure ? JSON.parse(figure.dataset.cost) : null;
      if (figure) {
        let width = 0;
        new ResizeObserver(() => {
          if (width !== figure.clientWidth && this.found) this.draw(this.found);
          width = figure.clientWidth;
        }).observe(figure);
      }
    }

    costOf(model) {
      return this.numbers.models[model][this.cost.of];
    }

    draw(found) {
      if (!this.figure) return;
      this.found = found;
      const points = found.filter((own) => own.score !== null && this.costOf(own.model) !== null);
      const width = Math.max(this.figure.parentElement.clientWidth, 280);
      const holder = this.figure.querySelector(".chart");
      const svg = make("svg", {
        viewBox: `0 0 ${width} ${BOX.height}`,
        role: "img",
        "aria-label": `Score against ${this.cost.title}, ${wording.count(points.length, "model")}`,
      });
      // one point compares nothing
      this.figure.hidden = points.length < 2;
      if (points.length > 1) this.drawPoints(svg, points, width);
      holder.replaceChildren(svg);
      if (width < NARROW) holder.append(this.key(points));
    }

    /** Names in the order of their numbers. */
    key(points) {
      const list = document.createElement("ol");
      for (const own of byScore(points)) {
        const entry = document.createElement("li");
        entry.textContent = this.numbers.models[own.model].name;
        list.append(entry);
      }
      return list;
    }

    drawPoints(svg, points, width) {
      const right = width < NARROW ? 30 : BOX.right;
      const [w, h] = [width - BOX.left - right, BOX.height - BOX.top - BOX.bottom];
      const axis = logarithmic(points.map((own) => this.costOf(own.model)));
      const x = (value) => BOX.left + w * axis.place(value);
      const y = (score) => BOX.top + h * (1 - score);
      for (const tick of axis.ticks) {
        svg.append(make("line", { x1: x(tick), x2: x(tick), y1: BOX.top, y2: BOX.top + h, class: "rule" }));
        svg.append(make("text", { x: x(tick), y: BOX.top + h + 18, "text-anchor": "middle" }, this.tick(tick)));
      }
      for (const share of [0, 0.25, 0.5, 0.75, 1]) {
        svg.append(make("line", { x1: BOX.left, x2: BOX.left + w, y1: y(share), y2: y(share), class: "rule" }));
        svg.append(make("text", { x: BOX.left - 8, y: y(share) + 4, "text-anchor": "end" }, String(100 * share)));
      }
      const title = { x: BOX.left + w / 2, y: BOX.height - 8, "text-anchor": "middle", class: "axis" };
      svg.append(make("text", title, this.cost.title));
      this.label(svg, points, x, y, width);
    }

    /** Circles, hollow for another level of theory, and names that cover neither those nor each other. */
    label(svg, points, x, y, width) {
      const taken = points.map((own) => {
        const [cx, cy] = [x(this.costOf(own.model)), y(own.score)];
        return { at: cy + 4, from: cx - 6, to: cx + 6 };
      });
      const names = [];
      for (const [k, own] of byScore(points).entries()) {
        const model = this.numbers.models[own.model];
        const name = width < NARROW ? String(k + 1) : model.name;
        const [cx, cy] = [x(this.costOf(own.model)), y(own.score)];
        const circle = make("circle", { cx, cy, r: 5, class: model.same ? "same" : "other" });
        circle.append(make("title", {}, `${model.name}: ${wording.points(own.score, 1)}`));
        const length = 7 * name.length;
        const left = cx + 10 + length > width;
        let at = cy + 4;
        const [from, to] = left ? [cx - 10 - length, cx - 10] : [cx + 10, cx + 10 + length];
        const covered = (t) => Math.abs(t.at - at) < 13 && t.from < to && from < t.to;
        while (taken.some(covered)) at += 13;
        taken.push({ at, from, to });
        // a name that had to give way is tied to its point
        if (at > cy + 16) {
          svg.append(make("line", { x1: cx, y1: cy + 5, x2: left ? to + 2 : from - 2, y2: at - 4, class: "tie" }));
        }
        const anchor = left ? "end" : "start";
        svg.append(circle);
        names.push(make("text", { x: left ? to : from, y: at, "text-anchor": anchor }, name));
      }
      // above all points, so that none covers a name
      svg.append(...names);
    }

    tick(value) {
      if (this.cost.of === "parameters") {
        if (value >= 1e6) return `${value / 1e6} million`;
        return value >= 1000 ? `${value / 1000} 000` : String(value);
      }
      return value >= 1 ? `${value} s` : value >= 1e-3 ? `${Math.round(value * 1e3)} ms` : `${Math.round(value * 1e6)} µs`;
    }
  }

  return { Plot };
})();
