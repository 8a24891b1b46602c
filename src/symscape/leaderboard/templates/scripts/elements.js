// Which elements are wanted: a formula field, and a periodic table that writes into it.
"use strict";
const elements = (() => {
  /** Elements of a formula, "GaN" or "ga n"; null for what is none. */
  function parse(text, known) {
    const found = [];
    for (const word of text.split(/[^A-Za-z]+/).filter(Boolean)) {
      let at = 0;
      while (at < word.length) {
        const first = word[at].toUpperCase();
        const second = word[at + 1] ?? "";
        // a capital begins the next element
        const two = second && second === second.toLowerCase() && known.has(first + second);
        if (!two && !known.has(first)) return null;
        found.push(two ? first + second : first);
        at += two ? 2 : 1;
      }
    }
    return [...new Set(found)];
  }

  function fits(wanted, own, match) {
    if (wanted === null) return false;
    if (!wanted.length) return true;
    const there = (symbol) => own.includes(symbol);
    return match === "all" ? wanted.every(there) : wanted.some(there);
  }

  class Picker {
    constructor(form) {
      this.field = form.elements.formula;
      this.buttons = [...form.querySelectorAll("button[data-element]")];
      this.known = new Set(this.buttons.map((button) => button.dataset.element));
      for (const button of this.buttons) {
        button.addEventListener("click", () => this.toggle(button.dataset.element));
      }
    }

    get wanted() {
      return parse(this.field.value, this.known);
    }

    toggle(symbol) {
      const now = this.wanted ?? [];
      const next = now.includes(symbol) ? now.filter((own) => own !== symbol) : [...now, symbol];
      this.field.value = next.join(" ");
      this.field.dispatchEvent(new Event("input", { bubbles: true }));
    }

    show() {
      const wanted = this.wanted;
      this.field.setCustomValidity(wanted === null ? "There is no such element." : "");
      for (const button of this.buttons) {
        const pressed = wanted !== null && wanted.includes(button.dataset.element);
        button.setAttribute("aria-pressed", String(pressed));
      }
    }
  }

  return { parse, fits, Picker };
})();
