// The bar of filters: elements, crystal system, space group. Hidden without scripts.
"use strict";
const filters = (() => {
  const form = document.getElementById("filters");
  const picker = form ? new elements.Picker(form) : null;
  const FIELDS = ["formula", "match", "system", "group"];

  /** Of the form's text fields and selections, what is chosen; those that a page lacks are left out. */
  function chosen(names) {
    const fields = names.map((name) => [name, form.elements[name]]);
    return Object.fromEntries(fields.filter(([, f]) => f).map(([name, f]) => [name, f.value]));
  }

  function recall(view, names) {
    for (const name of names) {
      const field = form.elements[name];
      if (!field || view[name] === undefined) continue;
      const known = field.tagName !== "SELECT" || [...field.options].some((o) => o.value === view[name]);
      if (known) field.value = view[name];
    }
  }

  function fits(material) {
    const { match, system, group } = form.elements;
    return (
      elements.fits(picker.wanted, material.elements, match.value) &&
      (!system.value || material.system === system.value) &&
      (!group.value || String(material.group) === group.value)
    );
  }

  function tell(left, all, noun = "material") {
    const words = left === all ? wording.count(all, noun) : `${left} of ${wording.count(all, noun)}`;
    form.elements.count.value = form.elements.formula.validationMessage || words;
  }

  /**
   * Show what the address says, and again whenever it or a field changes.
   * The page is {recall(view), update(), view()}.
   */
  function start(page) {
    form.hidden = false;
    const update = () => {
      picker.show();
      page.update();
    };
    const fromAddress = () => {
      form.reset();
      page.recall(address.read(["hide"]));
      update();
    };
    const changed = () => {
      update();
      address.write(page.view(), page.defaults);
    };
    // fields of the form may stand elsewhere on the page
    document.addEventListener("input", (event) => event.target.form === form && changed());
    form.addEventListener("submit", (event) => event.preventDefault());
    form.querySelector("button.reset").addEventListener("click", () => {
      form.reset();
      page.recall(page.defaults);
      changed();
    });
    window.addEventListener("hashchange", () => address.holds() && fromAddress());
    fromAddress();
  }

  /** A panel closes when something else is pressed, and on Escape. */
  const panels = [...document.querySelectorAll(".filters details")];
  document.addEventListener("pointerdown", (event) => {
    for (const panel of panels) if (!panel.contains(event.target)) panel.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") panels.forEach((panel) => (panel.open = false));
  });

  return { form, FIELDS, chosen, recall, fits, tell, start };
})();
