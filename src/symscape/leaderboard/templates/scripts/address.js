// What is shown, in the page's address, so that it can be shared: #formula=GaN&preset=phonons.
"use strict";
const address = (() => {
  /** Whether the address holds a view rather than a place on the page. */
  const holds = () => location.hash.includes("=");

  /** Name to value, or to all values of a name that stands more than once. */
  function read(several) {
    const found = new URLSearchParams(holds() ? location.hash.slice(1) : "");
    const view = Object.fromEntries(found);
    for (const name of several) view[name] = found.getAll(name);
    return view;
  }

  /** Write what differs from the defaults. */
  function write(view, defaults) {
    const chosen = new URLSearchParams();
    for (const [name, value] of Object.entries(view)) {
      if (Array.isArray(value)) value.forEach((one) => chosen.append(name, one));
      else if (value !== (defaults[name] ?? "")) chosen.set(name, value);
    }
    const text = chosen.toString();
    if (text || holds()) history.replaceState(null, "", "#" + text);
  }

  return { holds, read, write };
})();
