// Weights of the questions: presets, a slider each, and one question alone.
"use strict";
const weights = (() => {
  const OWN = "own";
  const same = (one, other) => one.every((weight, q) => weight === other[q]);

  class Weights {
    constructor(form, numbers) {
      this.numbers = numbers;
      this.preset = form.elements.preset;
      this.question = form.elements.question;
      this.sliders = [...form.querySelectorAll("input[type=range]")];
      this.preset.addEventListener("input", () => this.choose(this.preset.value));
      this.sliders.forEach((slider) => slider.addEventListener("input", () => this.show()));
    }

    get ofSliders() {
      return this.sliders.map((slider) => Number(slider.value));
    }

    /** The weights in force, with one question chosen alone: its own. */
    get values() {
      const { questions } = this.numbers;
      const chosen = questions.findIndex((q) => q.name === this.question.value);
      return chosen < 0 ? this.ofSliders : questions.map((_, q) => Number(q === chosen));
    }

    set(values) {
      this.sliders.forEach((slider, q) => (slider.value = values[q] ?? 0));
      this.show();
    }

    choose(name) {
      const preset = this.numbers.presets.find((p) => p.name === name);
      if (preset) this.set(preset.weights);
      else this.show();
    }

    /** Say the weights beside the sliders, and which preset they are. */
    show() {
      const now = this.ofSliders;
      const preset = this.numbers.presets.find((p) => same(p.weights, now));
      this.preset.value = preset ? preset.name : OWN;
      this.preset.title = preset ? preset.why : "weights of your own";
      this.sliders.forEach((slider) => {
        slider.parentElement.querySelector("output").value = slider.value;
      });
    }

    /** What a preset weighs and why; empty for the board's own weights and a reader's. */
    get said() {
      const preset = this.numbers.presets.find((p) => p.name === this.preset.value);
      if (!preset || preset.name === "all" || this.question.value) return "";
      const asked = this.numbers.questions.filter((_, q) => preset.weights[q]);
      return `For ${preset.title} count ${asked.map((q) => q.title).join(", ")}: ${preset.why}.`;
    }

    /** For the address: the preset's name or the weights, never both. */
    get view() {
      if (this.preset.value !== OWN) return { preset: this.preset.value };
      const own = this.numbers.questions.map((q, k) => [q.name, this.ofSliders[k]]);
      return { weights: own.filter((pair) => pair[1]).map((pair) => pair.join(":")).join(",") };
    }

    recall(view) {
      if (view.weights === undefined) return this.choose(view.preset ?? "all");
      const given = new Map(view.weights.split(",").map((pair) => pair.split(":")));
      const values = this.numbers.questions.map((q) => Number(given.get(q.name) ?? 0));
      return this.set(values.map((value) => (Number.isFinite(value) ? value : 0)));
    }
  }

  return { Weights };
})();
