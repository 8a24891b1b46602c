// Draws the large maps of a slice, and the cuts through the DFT minimum, from the grid's numbers.
"use strict";
(() => {
  const SHADES = 4; // colours between two contour lines
  const MARGIN = { left: 50, right: 16, top: 6, bottom: 36 };
  const GAPS = {
    masked: { face: [228, 228, 228], edge: [138, 138, 138], words: "masked: atoms too close" },
    computed: { face: [255, 255, 255], edge: [176, 176, 176], words: "no DFT energy" },
    failed: { face: [255, 217, 232], edge: [212, 0, 106], words: "model gave no energy" },
  };

  // -- colours -----------------------------------------------------------------------------------

  function colourTable(hex) {
    const table = [];
    for (let k = 0; k < hex.length; k += 6) {
      table.push([0, 2, 4].map((i) => parseInt(hex.slice(k + i, k + i + 2), 16)));
    }
    return table; // below, 256 colours, above
  }
  const COLOURS = {
    energies: colourTable(window.COLOURS.energies),
    errors: colourTable(window.COLOURS.errors),
  };

  /** A colour scale: its contour lines, and the colour of the layer that a value is in. */
  class Scale {
    constructor(lines, colours) {
      this.lines = lines;
      this.low = lines[0];
      this.high = lines[lines.length - 1];
      this.layers = SHADES * (lines.length - 1);
      this.colours = colours;
    }

    layer(value) {
      if (value < this.low) return -1;
      if (value > this.high) return this.layers;
      const share = (value - this.low) / (this.high - this.low);
      return Math.min(this.layers - 1, Math.floor(share * this.layers));
    }

    colour(layer) {
      if (layer < 0) return this.colours[0];
      if (layer >= this.layers) return this.colours[257];
      return this.colours[1 + Math.floor((256 * (layer + 0.5)) / this.layers)];
    }
  }

  // -- grids -------------------------------------------------------------------------------------

  function difference(model, reference) {
    return model.map((row, i) =>
      row.map((e, j) => (e === null || reference[i][j] === null ? null : e - reference[i][j])),
    );
  }

  /** Unknown points take the value of the nearest known one; they are covered afterwards. */
  function fillNearest(grid) {
    const known = [];
    grid.forEach((row, i) => row.forEach((e, j) => e !== null && known.push([i, j])));
    if (!known.length) return null;
    return grid.map((row, i) =>
      row.map((e, j) => {
        if (e !== null) return e;
        let best = Infinity;
        let value = 0;
        for (const [a, b] of known) {
          const apart = (a - i) ** 2 + (b - j) ** 2;
          if (apart < best) [best, value] = [apart, grid[a][b]];
        }
        return value;
      }),
    );
  }

  /** Place of x among increasing values: index of the interval and share of it. */
  function locate(values, x) {
    let k = 0;
    while (k < values.length - 2 && x > values[k + 1]) k += 1;
    return [k, (x - values[k]) / (values[k + 1] - values[k])];
  }

  function gapAt(data, grid, i, j) {
    if (data.masked[i][j] === "#") return GAPS.masked;
    if (grid[i][j] !== null) return null;
    return data.reference[i][j] === null ? GAPS.computed : GAPS.failed;
  }

  // -- ticks -------------------------------------------------------------------------------------

  function ticks(low, high, count) {
    const raw = (high - low) / count;
    const power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 2.5, 5, 10].find((s) => s * power >= raw * 0.999) * power;
    const found = [];
    for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k += 1) found.push(k * step);
    return found;
  }

  function tickText(value) {
    return String(Number(value.toPrecision(4))).replace("-", "−");
  }

  function ink(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  // -- panels ------------------------------------------------------------------------------------

  function panel(parent, words) {
    const figure = document.createElement("figure");
    figure.className = "panel";
    const caption = document.createElement("figcaption");
    const canvas = document.createElement("canvas");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", words);
    figure.append(caption, canvas);
    parent.append(figure);
    return { figure, caption, canvas };
  }

  /** A canvas as wide as its column; one unit is one CSS pixel. */
  function prepare(canvas, height) {
    const width = canvas.clientWidth || 360;
    const ratio = window.devicePixelRatio || 1;
    canvas.style.height = `${height(width)}px`;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height(width) * ratio);
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    pen.font = "12px system-ui, 'Liberation Sans', Arial, sans-serif";
    return { pen, width, height: height(width), ratio };
  }

  function drawAxes(pen, box, spans, labels) {
    pen.strokeStyle = ink("--quiet");
    pen.fillStyle = ink("--quiet");
    pen.lineWidth = 1;
    pen.strokeRect(box.x + 0.5, box.y + 0.5, box.w - 1, box.h - 1);
    pen.textAlign = "center";
    pen.textBaseline = "top";
    for (const value of ticks(...spans[0], Math.max(2, Math.floor(box.w / 70)))) {
      const x = box.x + (box.w * (value - spans[0][0])) / (spans[0][1] - spans[0][0]);
      pen.fillRect(x - 0.5, box.y + box.h, 1, 4);
      pen.fillText(tickText(value), x, box.y + box.h + 6);
    }
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    for (const value of ticks(...spans[1], Math.max(2, Math.floor(box.h / 42)))) {
      const y = box.y + box.h - (box.h * (value - spans[1][0])) / (spans[1][1] - spans[1][0]);
      pen.fillRect(box.x - 4, y - 0.5, 4, 1);
      pen.fillText(tickText(value), box.x - 7, y);
    }
    pen.fillStyle = ink("--ink");
    pen.textAlign = "center";
    pen.textBaseline = "bottom";
    pen.fillText(labels[0], box.x + box.w / 2, box.y + box.h + 36);
    pen.save();
    pen.translate(11, box.y + box.h / 2);
    pen.rotate(-Math.PI / 2);
    pen.textBaseline = "middle";
    pen.fillText(labels[1], 0, 0);
    pen.restore();
  }

  function paintMap(data, grid, scale, w, h, ratio) {
    const filled = fillNearest(grid);
    const image = new ImageData(w, h);
    const [u0, u1] = [data.u[0], data.u[data.u.length - 1]];
    const [v0, v1] = [data.v[0], data.v[data.v.length - 1]];
    const across = Array.from({ length: w }, (_, x) => locate(data.u, u0 + ((x + 0.5) / w) * (u1 - u0)));
    const up = Array.from({ length: h }, (_, y) => locate(data.v, v1 - ((y + 0.5) / h) * (v1 - v0)));
    const stripe = Math.round(7 * ratio);
    const thick = Math.max(1, Math.round(1.2 * ratio));
    const layers = new Int16Array(w * h);
    for (let y = 0; y < h; y += 1) {
      const [j, t] = up[y];
      for (let x = 0; x < w; x += 1) {
        const [i, s] = across[x];
        let colour = [255, 255, 255];
        if (filled) {
          const value =
            (1 - s) * ((1 - t) * filled[i][j] + t * filled[i][j + 1]) +
            s * ((1 - t) * filled[i + 1][j] + t * filled[i + 1][j + 1]);
          const layer = scale.layer(value);
          layers[y * w + x] = Math.floor(layer / SHADES);
          colour = scale.colour(layer);
          // contour lines: where the layer changes
          const here = layers[y * w + x];
          const left = x ? layers[y * w + x - 1] : here;
          const above = y ? layers[(y - 1) * w + x] : here;
          if (here !== left || here !== above) colour = colour.map((c) => 0.45 * c);
        }
        const gap = gapAt(data, grid, s < 0.5 ? i : i + 1, t < 0.5 ? j : j + 1);
        if (gap) colour = (x + y) % stripe < thick ? gap.edge : gap.face;
        image.data.set([...colour, 255], 4 * (y * w + x));
      }
    }
    return image;
  }

  /** What of a grid lies beyond a scale, in words; empty if nothing does. */
  function beyond(grid, scale) {
    const known = grid.flat().filter((value) => value !== null);
    const words = [];
    const [low, high] = [Math.min(...known), Math.max(...known)];
    if (low < scale.low) words.push(`down to ${tickText(Math.round(low))}`);
    if (high > scale.high) words.push(`up to ${tickText(Math.round(high))}`);
    return words.join(", ");
  }

  /** Arrows at the ends of a scale that a grid goes beyond. */
  function drawArrows(pen, box, scale, grid) {
    const known = grid.flat().filter((value) => value !== null);
    const ends = [
      [known.some((value) => value < scale.low), box.x - 2, -9, scale.colour(-1)],
      [known.some((value) => value > scale.high), box.x + box.w + 2, 9, scale.colour(scale.layers)],
    ];
    for (const [shown, x, length, colour] of ends) {
      if (!shown) continue;
      pen.beginPath();
      pen.moveTo(x, box.y);
      pen.lineTo(x + length, box.y + box.h / 2);
      pen.lineTo(x, box.y + box.h);
      pen.closePath();
      pen.fillStyle = `rgb(${colour.join(" ")})`;
      pen.fill();
      pen.stroke();
    }
  }

  function drawScale(pen, box, scale) {
    const layers = scale.layers;
    for (let k = 0; k < layers; k += 1) {
      pen.fillStyle = `rgb(${scale.colour(k).join(" ")})`;
      pen.fillRect(box.x + (box.w * k) / layers, box.y, box.w / layers + 0.6, box.h);
    }
    pen.strokeStyle = ink("--quiet");
    pen.strokeRect(box.x + 0.5, box.y + 0.5, box.w - 1, box.h - 1);
    pen.fillStyle = ink("--quiet");
    pen.textAlign = "center";
    pen.textBaseline = "top";
    const every = Math.ceil((46 * scale.lines.length) / box.w);
    const middle = scale.lines.indexOf(0);
    scale.lines.forEach((value, k) => {
      if ((k - Math.max(middle, 0)) % every) return;
      const x = box.x + (box.w * (value - scale.low)) / (scale.high - scale.low);
      pen.fillText(tickText(value), x, box.y + box.h + 3);
    });
  }

  function mark(pen, x, y, kind) {
    pen.lineWidth = 1.6;
    pen.beginPath();
    if (kind === "DFT") {
      pen.arc(x, y, 5.5, 0, 2 * Math.PI);
      pen.fillStyle = "#ffffff";
      pen.strokeStyle = "#111111";
    } else {
      pen.moveTo(x, y - 5);
      pen.lineTo(x + 5, y);
      pen.lineTo(x, y + 5);
      pen.lineTo(x - 5, y);
      pen.closePath();
      pen.fillStyle = "#e06c00";
      pen.strokeStyle = "#000000";
    }
    pen.fill();
    pen.stroke();
  }

  function drawMap(canvas, data, grid, scale, marks) {
    const bar = 38;
    const space = prepare(canvas, (width) => Math.round(0.78 * width) + bar);
    const { pen, width, ratio } = space;
    const box = {
      x: MARGIN.left,
      y: MARGIN.top,
      w: width - MARGIN.left - MARGIN.right,
      h: space.height - MARGIN.top - MARGIN.bottom - bar,
    };
    const image = paintMap(data, grid, scale, Math.round(box.w * ratio), Math.round(box.h * ratio), ratio);
    pen.putImageData(image, Math.round(box.x * ratio), Math.round(box.y * ratio));
    const spans = [data.u, data.v].map((values) => [values[0], values[values.length - 1]]);
    drawAxes(pen, box, spans, data.labels);
    for (const [kind, place] of marks) {
      if (!place) continue;
      const [x, y] = [data.u[place[0]], data.v[place[1]]].map(
        (value, k) => (value - spans[k][0]) / (spans[k][1] - spans[k][0]),
      );
      mark(pen, box.x + x * box.w, box.y + (1 - y) * box.h, kind);
    }
    const strip = { x: box.x, y: space.height - bar + 8, w: box.w, h: 11 };
    drawScale(pen, strip, scale);
    drawArrows(pen, strip, scale, grid);
    return box;
  }

  function drawCut(canvas, data, along, lines) {
    const space = prepare(canvas, (width) => Math.round(0.46 * width));
    const { pen, width } = space;
    const box = { x: MARGIN.left, y: MARGIN.top, w: width - MARGIN.left - MARGIN.right, h: space.height - MARGIN.top - MARGIN.bottom };
    const values = along === 0 ? data.u : data.v;
    const [i, j] = data.minimum;
    const cut = (grid) => (along === 0 ? grid.map((row) => row[j]) : grid[i]);
    const inside = lines.flatMap((line) => cut(line.grid)).filter((e) => e !== null);
    let low = Math.min(0, ...inside);
    let high = Math.max(1, Math.min(Math.max(...inside), 2 * data.window));
    [low, high] = [low - 0.05 * (high - low), high + 0.05 * (high - low)];
    const place = (k, e) => [
      box.x + (box.w * (values[k] - values[0])) / (values[values.length - 1] - values[0]),
      box.y + box.h - (box.h * (e - low)) / (high - low),
    ];
    pen.strokeStyle = ink("--grid");
    for (const value of ticks(low, high, Math.max(2, Math.floor(box.h / 42)))) {
      const y = place(0, value)[1];
      pen.beginPath();
      pen.moveTo(box.x, y);
      pen.lineTo(box.x + box.w, y);
      pen.stroke();
    }
    pen.save();
    pen.beginPath();
    pen.rect(box.x, box.y, box.w, box.h);
    pen.clip();
    for (const line of lines) {
      pen.strokeStyle = pen.fillStyle = ink(line.ink);
      pen.lineWidth = 2;
      pen.setLineDash(line.dash);
      pen.beginPath();
      let down = false;
      cut(line.grid).forEach((e, k) => {
        if (e === null) down = false;
        else {
          const [x, y] = place(k, e);
          if (down) pen.lineTo(x, y);
          else pen.moveTo(x, y);
          down = true;
        }
      });
      pen.stroke();
      pen.setLineDash([]);
      cut(line.grid).forEach((e, k) => {
        if (e === null) return;
        pen.beginPath();
        pen.arc(...place(k, e), 2.6, 0, 2 * Math.PI);
        pen.fill();
      });
    }
    pen.restore();
    drawAxes(pen, box, [[values[0], values[values.length - 1]], [low, high]], [data.labels[along], "meV/atom"]);
  }

  // -- a slice -----------------------------------------------------------------------------------

  class Viewer {
    constructor(element, data) {
      this.element = element;
      this.data = data;
      this.first = element.querySelector(".choose");
      this.second = element.querySelector(".second");
      this.second.append(new Option("none", ""));
      for (const model of data.models) {
        this.first.append(new Option(model.name));
        this.second.append(new Option(model.name));
      }
      this.first.addEventListener("change", () => this.draw());
      this.second.addEventListener("change", () => this.draw());
      element.hidden = false;
      this.draw();
    }

    model(name) {
      return this.data.models.find((model) => model.name === name);
    }

    pick(name) {
      if (!this.model(name)) return false;
      this.first.value = name;
      this.draw();
      return true;
    }

    draw() {
      const { data } = this;
      const shown = [this.model(this.first.value), this.model(this.second.value)].filter(Boolean);
      const maps = this.element.querySelector(".maps");
      const cuts = this.element.querySelector(".cuts");
      maps.replaceChildren();
      cuts.replaceChildren();
      this.panels = [];
      const lead = new Scale(shown[0].scale, COLOURS.energies);
      this.addMap(maps, data.reference_name, data.reference, lead, [["DFT", data.minimum]], "energy above the DFT minimum");
      // one scale of errors for both: that of the larger ones
      const widest = shown.map((model) => model.errors).reduce((a, b) => (b.at(-1) > a.at(-1) ? b : a));
      const errors = new Scale(widest, COLOURS.errors);
      shown.forEach((model, k) => {
        const marks = [["DFT", data.minimum], ["model", model.minimum]];
        const apart = difference(model.energies, data.reference);
        if (k) maps.append(Object.assign(document.createElement("div"), { className: "blank" }));
        this.addMap(maps, model.name, model.energies, lead, marks, "from the DFT minimum");
        this.addMap(maps, `${model.name} − DFT`, apart, errors, marks, "blue: too low");
      });
      for (const model of shown) this.addOnOwnZero(maps, model, lead);
      maps.append(this.legend(shown));
      const inks = ["--model", "--second"];
      const lines = [
        { name: data.reference_name, grid: data.reference, ink: "--ink", dash: [] },
        ...shown.map((m, k) => ({ name: m.name, grid: m.energies, ink: inks[k], dash: [6, 3] })),
      ];
      for (const along of [0, 1]) {
        const other = 1 - along;
        const fixed = (along === 0 ? data.v : data.u)[data.minimum[other]];
        const words = `Cut through the DFT minimum along ${data.labels[along]}: ${lines.map((l) => l.name).join(", ")}`;
        const { caption, canvas } = panel(cuts, words);
        caption.textContent = `cut at ${data.labels[other]} = ${tickText(fixed)}`;
        drawCut(canvas, data, along, lines);
      }
      const key = Object.assign(document.createElement("p"), { className: "legend" });
      for (const line of lines) {
        const entry = document.createElement("span");
        const swatch = document.createElement("b");
        swatch.style.background = ink(line.ink);
        entry.append(swatch, line.name);
        key.append(entry);
      }
      cuts.append(key);
      this.shown = shown;
      this.tell(null);
    }

    /** A model's map from its own lowest energy, where that isn't the zero of the others. */
    addOnOwnZero(maps, model, scale) {
      const lowest = Math.min(...model.energies.flat().filter((value) => value !== null));
      if (Math.abs(lowest) < 1) return;
      const own = model.energies.map((row) => row.map((e) => (e === null ? null : e - lowest)));
      this.addMap(maps, model.name, own, scale, [["model", model.minimum]], "from its own minimum");
    }

    addMap(parent, title, grid, scale, marks, note) {
      const { data } = this;
      const words = `Map of ${data.id}, ${title} in meV/atom over ${data.labels.join(" and ")}`;
      const { caption, canvas } = panel(parent, words);
      const small = document.createElement("small");
      const far = beyond(grid, scale);
      small.textContent = `${note}, meV/atom${far ? `; beyond the scale ${far}` : ""}`;
      caption.append(title, " ", small);
      const box = drawMap(canvas, data, grid, scale, marks);
      canvas.addEventListener("pointermove", (event) => this.tell(this.nearest(event, box)));
      canvas.addEventListener("pointerleave", () => this.tell(null));
    }

    legend(shown) {
      const { data } = this;
      const line = Object.assign(document.createElement("p"), { className: "legend" });
      const circle = document.createElement("span");
      circle.textContent = "○ DFT minimum";
      const diamond = document.createElement("span");
      diamond.textContent = "◆ lowest grid point of the model";
      line.append(circle, diamond);
      const present = new Set();
      for (const grid of [data.reference, ...shown.map((m) => m.energies)]) {
        grid.forEach((row, i) => row.forEach((_, j) => present.add(gapAt(data, grid, i, j))));
      }
      present.delete(null);
      for (const gap of present) {
        const entry = document.createElement("span");
        const swatch = document.createElement("b");
        const [face, edge] = [gap.face, gap.edge].map((c) => `rgb(${c.join(" ")})`);
        swatch.style.background = `repeating-linear-gradient(135deg, ${edge} 0 1px, ${face} 1px 5px)`;
        entry.append(swatch, gap.words);
        line.append(entry);
      }
      return line;
    }

    nearest(event, box) {
      const { data } = this;
      const x = Math.min(1, Math.max(0, (event.offsetX - box.x) / box.w));
      const y = 1 - Math.min(1, Math.max(0, (event.offsetY - box.y) / box.h));
      return [[data.u, x], [data.v, y]].map(([values, share]) => {
        const [k, rest] = locate(values, values[0] + share * (values[values.length - 1] - values[0]));
        return rest < 0.5 ? k : k + 1;
      });
    }

    tell(place) {
      const out = this.element.querySelector(".readout");
      if (!place) {
        out.textContent = "Point at a map to read its numbers.";
        return;
      }
      const { data } = this;
      const [i, j] = place;
      const number = (e) => (e === null ? "–" : e.toFixed(1).replace("-", "−"));
      const parts = [`DFT ${number(data.reference[i][j])}`];
      for (const model of this.shown) parts.push(`${model.name} ${number(model.energies[i][j])}`);
      out.textContent = `${data.labels[0]} = ${tickText(data.u[i])}, ${data.labels[1]} = ${tickText(data.v[j])}: ${parts.join(", ")} meV/atom`;
    }
  }

  const sources = [...document.querySelectorAll(".slice-numbers")];
  const viewers = [...document.querySelectorAll(".viewer")].flatMap((element, k) => {
    const data = JSON.parse(sources[k].textContent);
    return data.models.length ? [new Viewer(element, data)] : [];
  });

  function pickFromAddress() {
    const name = decodeURIComponent(location.hash.slice(1));
    if (name) viewers.forEach((viewer) => viewer.pick(name));
  }
  pickFromAddress();
  window.addEventListener("hashchange", pickFromAddress);
  document.querySelectorAll("a.pick").forEach((link) =>
    link.addEventListener("click", () => {
      const section = link.closest("section");
      viewers.forEach((viewer) => viewer.pick(link.dataset.model));
      section.querySelector(".viewer").scrollIntoView({ block: "start" });
    }),
  );

  const redraw = () => viewers.forEach((viewer) => viewer.draw());
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  let width = window.innerWidth;
  window.addEventListener("resize", () => {
    if (window.innerWidth === width) return;
    width = window.innerWidth;
    redraw();
  });
})();
