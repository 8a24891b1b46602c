"use strict";
// maps that answer to pointer and arrow keys, cuts through the pointed point, its crystal in 3-D
(() => {
  const data = JSON.parse(document.getElementById("landscapes-data").textContent);
  // viridis and red-blue at equal steps
  const ENERGY = ["#440154", "#46327e", "#365c8d", "#277f8e", "#1fa187", "#4ac16d", "#a0da39", "#fde725"];
  const ERROR = ["#2166ac", "#67a9cf", "#d1e5f0", "#f7f7f7", "#fddbc7", "#ef8a62", "#b2182b"];
  const ORBITS = ["#377eb8", "#e41a1c", "#4daf4a", "#984ea3", "#ff7f00", "#a65628", "#f781bf", "#00868b"];
  const SIDE = 200;
  const number = (x, digits) => (x === null ? "–" : x.toFixed(digits).replace("-", "−"));
  const difference = (a, b) => a.map((row, i) => row.map((x, j) => (x === null || b[i][j] === null ? null : x - b[i][j])));

  // ends of a map's colours, and how far energies go beyond them
  function reach(low, high, grids) {
    const known = grids.flat(2).filter((e) => e !== null);
    const [least, most] = [Math.min(...known), Math.max(...known)];
    const beyond = [least < low - 0.5 ? `down to ${number(least, 0)}` : "", most > high + 0.5 ? `up to ${number(most, 0)}` : ""];
    const note = beyond.filter(Boolean).join(" and ");
    return `${number(low, 0)} to ${number(high, 0)}${note ? `, beyond the colours ${note}` : ""}`;
  }

  function make(tag, options, ...children) {
    const element = Object.assign(document.createElement(tag), options);
    element.append(...children);
    return element;
  }

  function colour(table, share) {
    const at = Math.min(Math.max(share, 0), 1) * (table.length - 1);
    const k = Math.min(Math.floor(at), table.length - 2);
    const parts = [1, 3, 5].map((c) => {
      const [a, b] = [table[k], table[k + 1]].map((t) => parseInt(t.slice(c, c + 2), 16));
      return Math.round(a + (b - a) * (at - k));
    });
    return `rgb(${parts})`;
  }

  // edges of the cells around grid values, as shares of the axis
  function edges(values) {
    const n = values.length, span = values[n - 1] - values[0];
    const inner = values.slice(1).map((v, k) => ((v + values[k]) / 2 - values[0]) / span);
    return [0, ...inner, 1];
  }

  function paint(canvas, item, grid, table, low, high, at, other = null, split = 0) {
    const pen = canvas.getContext("2d");
    const [x, y] = item.axes.map((axis) => edges(axis.values).map((e) => e * SIDE));
    pen.clearRect(0, 0, SIDE, SIDE);
    grid.forEach((row, i) => row.forEach((own, j) => {
      const value = other && x[i] < split * SIDE ? other[i][j] : own;
      pen.fillStyle = value === null ? "#bbb" : colour(table, (value - low) / (high - low));
      pen.fillRect(x[i], SIDE - y[j + 1], x[i + 1] - x[i] + 0.5, y[j + 1] - y[j] + 0.5);
    }));
    const [px, py] = at.map((k, axis) => {
      const { values } = item.axes[axis];
      const place = Math.floor(((values[k] - values[0]) / (values.at(-1) - values[0])) * SIDE);
      // in the middle of a pixel, and within the map
      return Math.min(place, SIDE - 1) + 0.5;
    });
    for (const [style, width] of [["#fff", 3], ["#000", 1]]) {
      pen.strokeStyle = style;
      pen.lineWidth = width;
      pen.beginPath();
      pen.moveTo(px, 0); pen.lineTo(px, SIDE); pen.moveTo(0, SIDE - py); pen.lineTo(SIDE, SIDE - py);
      pen.stroke();
    }
  }

  function cut(item, axis, at, own) {
    const { label, values } = item.axes[axis];
    const line = (grid) => values.map((_, k) => (axis ? grid[at[0]][k] : grid[k][at[1]]));
    const lines = [[line(item.dft), "var(--ink)"], [line(own), "#e06c00"]];
    const known = lines.flatMap(([l]) => l).filter((e) => e !== null);
    const [low, high] = [Math.min(0, ...known), Math.min(Math.max(1, ...known), 2 * item.span[1])];
    const x = (k) => (20 + (180 * (values[k] - values[0])) / (values.at(-1) - values[0])).toFixed(1);
    const y = (e) => (110 - (100 * (e - low)) / (high - low)).toFixed(1);
    const paths = lines.map(([l, stroke]) => {
      const points = l.map((e, k) => (e === null ? null : `${x(k)},${y(e)}`)).filter(Boolean);
      return `<polyline points="${points.join(" ")}" fill="none" stroke="${stroke}" stroke-width="1.6"/>`;
    });
    const here = x(at[axis]);
    const svg = `<svg viewBox="0 0 210 125" width="210" height="125" role="img"><line x1="${here}" x2="${here}" y1="5" y2="112" stroke="var(--quiet)" stroke-dasharray="3 3"/>${paths.join("")}</svg>`;
    const figure = make("div", { innerHTML: svg });
    figure.firstChild.setAttribute("aria-label", `Cut along ${label}: DFT and model`);
    const legend = lines.map(([, stroke], k) => {
      const dash = make("b", { textContent: "— " });
      dash.style.color = stroke;
      return make("span", {}, dash, k ? "model " : "DFT ");
    });
    figure.append(make("small", {}, `along ${label}, ${number(low, 0)} to ${number(high, 0)} meV/atom `, ...legend));
    return figure;
  }

  // Cartesian atoms of a geometry, from the crystal, the moves along the axes and the cell
  function geometry(item, at) {
    const s = item.structure;
    if (!s) return null;
    const [u, v] = at.map((k, axis) => item.axes[axis].values[k] - s.origins[axis]);
    const flat = s.cells[s.cell_axis === null ? 0 : at[s.cell_axis]];
    const cell = [0, 3, 6].map((k) => flat.slice(k, k + 3));
    const cartesian = (f) => [0, 1, 2].map((c) => f[0] * cell[0][c] + f[1] * cell[1][c] + f[2] * cell[2][c]);
    // where the axes begin every atom lies in the cell, and from there it moves without a jump
    const home = (x) => x - Math.floor(x + 1e-6);
    const atoms = s.positions.map((p, k) => cartesian(p.map((x, c) => home(x) + u * s.moves[0][k][c] + v * s.moves[1][k][c])));
    return { cell, atoms, moves: s.moves.map((m) => m.map(cartesian)) };
  }

  function closest(item, at) {
    const found = geometry(item, at);
    if (!found) return "";
    let best = [Infinity, ""];
    const images = [-1, 0, 1];
    found.atoms.forEach((a, i) => found.atoms.slice(i).forEach((b, k) => {
      for (const p of images) for (const q of images) for (const r of images) {
        if (!k && !p && !q && !r) continue;
        const d = Math.hypot(...[0, 1, 2].map((c) => b[c] - a[c] + p * found.cell[0][c] + q * found.cell[1][c] + r * found.cell[2][c]));
        if (d < best[0]) best = [d, `${item.structure.symbols[i]}–${item.structure.symbols[i + k]}`];
      }
    }));
    return `; closest pair ${best[1]} ${number(best[0], 2)} Å`;
  }

  let library = null;
  function load3D() {
    library ??= document.head.appendChild(make("script", { textContent: document.getElementById("library-3d").textContent }));
  }

  function draw3D(viewer, item, at) {
    const { cell, atoms, moves } = geometry(item, at);
    const point = ([x, y, z]) => ({ x, y, z });
    const orbits = [...new Set(item.structure.orbits)];
    viewer.removeAllShapes();
    atoms.forEach((atom, k) => {
      const fill = ORBITS[orbits.indexOf(item.structure.orbits[k]) % ORBITS.length];
      viewer.addSphere({ center: point(atom), radius: 0.5, color: fill });
      for (const move of moves) {
        const length = Math.hypot(...move[k]);
        if (length < 1e-6) continue;
        const end = atom.map((x, c) => x + (1.1 * move[k][c]) / length);
        viewer.addArrow({ start: point(atom), end: point(end), radius: 0.08, color: "#444444" });
      }
    });
    const corner = (i, j, k) => [0, 1, 2].map((c) => i * cell[0][c] + j * cell[1][c] + k * cell[2][c]);
    for (const [a, b] of [[0, 0], [0, 1], [1, 0], [1, 1]]) {
      for (const [from, to] of [[[0, a, b], [1, a, b]], [[a, 0, b], [a, 1, b]], [[a, b, 0], [a, b, 1]]]) {
        viewer.addLine({ start: point(corner(...from)), end: point(corner(...to)), color: "#777777" });
      }
    }
    viewer.render();
  }

  function explore(box) {
    const item = data[box.dataset.slice];
    if (!item) return;
    const at = [...item.minimum];
    const lowest = Math.min(...item.model.flat().filter((e) => e !== null));
    const own = item.model.map((row) => row.map((e) => (e === null ? null : e - lowest)));
    const error = difference(item.model, item.dft);
    const maps = [
      ["DFT", item.dft, ENERGY, ...item.span], ["model", item.model, ENERGY, ...item.span],
      ["model on its own zero", own, ENERGY, 0, item.span[1]],
      ["model − DFT", error, ERROR, -item.largest, item.largest],
    ];
    const readout = make("output", { className: "readout" });
    const cuts = make("div", { className: "cuts" });
    const stage = make("div", { className: "stage", hidden: true });
    let viewer = null;
    let split = null;
    const canvases = maps.map(([name]) => make("canvas", { width: SIDE, height: SIDE, tabIndex: 0, title: `${name}: arrow keys move the point` }));
    if (item.baseline) {
      maps.push(["baseline left, model right", item.model, ENERGY, ...item.span]);
      canvases.push(make("canvas", { width: SIDE, height: SIDE, tabIndex: 0, title: "baseline and model: arrow keys move the point" }));
      split = make("input", { type: "range", min: 0, max: 1, step: 0.01, value: 0.5, oninput: show });
      split.setAttribute("aria-label", "Where the baseline ends and the model begins");
    }

    function show() {
      const [i, j] = at;
      maps.forEach(([name, grid, table, low, high], k) => {
        const halves = k === 4 ? [item.baseline, Number(split.value)] : [];
        paint(canvases[k], item, grid, table, low, high, at, ...halves);
        canvases[k].setAttribute("aria-label", `${name} of ${item.title}`);
        canvases[k].setAttribute("role", "img");
      });
      const where = item.axes.map((axis, k) => `${axis.label} = ${number(axis.values[at[k]], 4)}`).join(", ");
      readout.textContent = `${where}: DFT ${number(item.dft[i][j], 1)}, model ${number(item.model[i][j], 1)}, ` +
        `error ${number(error[i][j], 1)} meV/atom${closest(item, at)}`;
      cuts.replaceChildren(cut(item, 0, at, item.model), cut(item, 1, at, item.model));
      if (viewer) draw3D(viewer, item, at);
    }

    function nearest(values, share) {
      const wanted = values[0] + share * (values.at(-1) - values[0]);
      return values.reduce((best, v, k) => (Math.abs(v - wanted) < Math.abs(values[best] - wanted) ? k : best), 0);
    }

    for (const canvas of canvases) {
      canvas.addEventListener("pointermove", (event) => {
        const frame = canvas.getBoundingClientRect();
        at[0] = nearest(item.axes[0].values, (event.clientX - frame.left) / frame.width);
        at[1] = nearest(item.axes[1].values, 1 - (event.clientY - frame.top) / frame.height);
        show();
      });
      canvas.addEventListener("keydown", (event) => {
        const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
        const step = steps[event.key];
        if (!step) return;
        event.preventDefault();
        step.forEach((d, k) => { at[k] = Math.min(Math.max(at[k] + d, 0), item.axes[k].values.length - 1); });
        show();
      });
    }
    const frames = maps.map(([name, grid, , low, high], k) => make("div", {}, canvases[k], ...(k === 4 ? [split] : []),
      make("small", { textContent: `${name}, ${reach(low, high, k === 4 ? [item.baseline, grid] : [grid])}` })));
    box.append(make("div", { className: "maps" }, ...frames), readout, cuts);
    if (item.structure) {
      const orbits = [...new Set(item.structure.orbits)];
      const button = make("button", { type: "button", textContent: "Show the crystal in 3-D" });
      button.onclick = () => {
        button.hidden = true;
        stage.hidden = false;
        try {
          load3D();
          viewer = globalThis.$3Dmol.createViewer(stage, { backgroundColor: "white" });
          for (const canvas of stage.querySelectorAll("canvas")) {
            canvas.setAttribute("role", "img");
            canvas.setAttribute("aria-label", `The crystal of ${item.title} in 3-D`);
          }
          draw3D(viewer, item, at);
          viewer.rotate(-75, "x");
          viewer.rotate(15, "y");
          viewer.zoomTo();
          viewer.render();
        } catch {
          stage.textContent = "The crystal can't be shown: this browser has no WebGL.";
        }
      };
      const names = orbits.map((name, k) => {
        const entry = make("span", {}, make("b", { textContent: "● " }), name);
        entry.firstChild.style.color = ORBITS[k % ORBITS.length];
        return entry;
      });
      box.append(make("p", { className: "orbits" }, button, ...names), stage);
    }
    show();
  }

  for (const card of document.querySelectorAll("details.slice")) {
    const begin = () => {
      const box = card.querySelector(".explorer:empty");
      if (card.open && box) explore(box);
    };
    card.addEventListener("toggle", begin);
    begin();
  }
})();
