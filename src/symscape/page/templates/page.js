"use strict";
// the page is whole without this: it filters cards and opens what a link leads to
(() => {
  const form = document.getElementById("filter");
  const cards = [...(form?.parentElement ?? document).querySelectorAll("details.slice")];

  function fits(card, wanted) {
    const { status, questions, elements, changed } = card.dataset;
    const text = card.querySelector("summary").textContent + " " + card.id;
    return (!wanted.changed || changed === wanted.changed) &&
      (!wanted.status || status === wanted.status) &&
      (!wanted.question || questions.split(" ").includes(wanted.question)) &&
      (!wanted.element || elements.split(" ").includes(wanted.element)) &&
      wanted.text.toLowerCase().split(/\s+/).every((word) => text.toLowerCase().includes(word));
  }

  function filter() {
    const wanted = { text: "", ...Object.fromEntries(new FormData(form)) };
    for (const card of cards) card.hidden = !fits(card, wanted);
    const shown = cards.filter((card) => !card.hidden).length;
    document.getElementById("shown").textContent = `${shown} of ${cards.length} shown`;
  }

  function openTarget() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    target.hidden = false;
    for (let at = target; at; at = at.parentElement) if (at.matches("details")) at.open = true;
    target.scrollIntoView();
  }

  if (form) {
    form.hidden = false;
    form.addEventListener("input", filter);
    form.addEventListener("reset", () => setTimeout(filter));
    form.addEventListener("submit", (event) => event.preventDefault());
    filter();
  }
  addEventListener("hashchange", openTarget);
  openTarget();
})();
