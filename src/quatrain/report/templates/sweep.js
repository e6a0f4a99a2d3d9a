"use strict";
// The table of runs: a click on a heading sorts it, a text or a bound filters it, and it grows as far as one wants.
(() => {
  const table = document.querySelector("table.runs");
  if (!table) return;
  const few = 25, more = 100;
  const body = table.tBodies[0];
  const headings = [...table.tHead.rows[0].cells];
  const rows = [...body.rows].map((row) => {
    const texts = [...row.cells].map((cell) => cell.textContent);
    const numbers = [...row.cells].map((cell) => (cell.dataset.v === undefined ? NaN : Number(cell.dataset.v)));
    return { row, texts, numbers, all: texts.join("\n").toLowerCase() };
  });
  const [above, below] = document.querySelectorAll(".runs-controls");
  const search = above.querySelector("input.all"), said = above.querySelector("output"), clear = above.querySelector(".clear");
  const next = below.querySelector(".more"), every = below.querySelector(".every");
  const filters = [];
  let sorted = rows, shown = few;

  const bound = /^\s*(<=|>=|<|>|=)\s*(-?[\d.]+(?:e[-+]?\d+)?)\s*$/i, between = /^\s*(-?[\d.]+(?:e[-+]?\d+)?)\s*\.\.\s*(-?[\d.]+(?:e[-+]?\d+)?)\s*$/i;
  const holds = {
    "<": (a, b) => a < b, "<=": (a, b) => a <= b, ">": (a, b) => a > b, ">=": (a, b) => a >= b, "=": (a, b) => a === b,
  };
  const test = (text, place, exact) => {
    if (exact) return ({ texts }) => texts[place] === text;
    let found = bound.exec(text);
    if (found) return ({ numbers }) => holds[found[1]](numbers[place], Number(found[2]));
    if ((found = between.exec(text))) return ({ numbers }) => numbers[place] >= Number(found[1]) && numbers[place] <= Number(found[2]);
    const words = text.trim().toLowerCase();
    return ({ texts }) => texts[place].toLowerCase().includes(words);
  };
  const matching = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const tests = filters.filter(({ field }) => field.value).map(({ field, place }) => test(field.value, place, field.matches("select")));
    return sorted.filter((one) => words.every((word) => one.all.includes(word)) && tests.every((holds) => holds(one)));
  };
  const show = () => {
    const found = matching();
    body.replaceChildren(...found.slice(0, shown).map(({ row }) => row));
    const seen = Math.min(shown, found.length);
    said.textContent = (found.length === rows.length ? `${rows.length} runs` : `${found.length} of ${rows.length} runs`) + (seen < found.length ? `, ${seen} shown` : "");
    const left = found.length - seen;
    next.textContent = `show ${Math.min(more, left)} more`;
    next.hidden = left === 0;
    every.hidden = left <= more;
    clear.hidden = !search.value && filters.every(({ field }) => !field.value);
  };
  const sortBy = (place, upwards) => {
    const sign = upwards ? 1 : -1;
    const compare = new Intl.Collator("en", { numeric: true }).compare;
    const missing = (one) => Number.isNaN(one.numbers[place]) && ["", "—"].includes(one.texts[place]);
    sorted = [...rows].sort((a, b) => {
      if (missing(a) || missing(b)) return missing(a) - missing(b);
      const [x, y] = [a.numbers[place], b.numbers[place]];
      return sign * (Number.isNaN(x) || Number.isNaN(y) ? compare(a.texts[place], b.texts[place]) : x - y);
    });
    for (const [at, heading] of headings.entries()) {
      if (at === place) heading.setAttribute("aria-sort", upwards ? "ascending" : "descending");
      else heading.removeAttribute("aria-sort");
    }
  };

  const line = document.createElement("tr");
  line.className = "filters";
  for (const [place, heading] of headings.entries()) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = heading.textContent;
    button.addEventListener("click", () => {
      sortBy(place, heading.getAttribute("aria-sort") !== "ascending");
      show();
    });
    heading.replaceChildren(button);
    const choice = heading.dataset.kind === "choice";
    const field = document.createElement(choice ? "select" : "input");
    field.setAttribute("aria-label", `filter by ${button.textContent}`);
    if (choice) {
      const values = [...new Set(rows.map(({ texts }) => texts[place]))].sort(new Intl.Collator("en", { numeric: true }).compare);
      field.append(new Option("all", ""), ...values.map((value) => new Option(value, value)));
    } else {
      field.type = "text";
      if (heading.dataset.kind === "number") field.placeholder = "<1";
      if (heading.dataset.kind === "number") field.title = "a bound such as <1, >=0.5 or 0.1..0.5, or a text";
    }
    field.addEventListener("input", () => { shown = few; show(); });
    filters.push({ field, place });
    line.insertCell().append(field);
  }
  table.tHead.append(line);
  search.addEventListener("input", () => { shown = few; show(); });
  clear.addEventListener("click", () => {
    search.value = "";
    for (const { field } of filters) field.value = "";
    show();
    search.focus();
  });
  next.addEventListener("click", () => { shown += more; show(); });
  every.addEventListener("click", () => { shown = Infinity; show(); });
  above.hidden = below.hidden = false;
  addEventListener("beforeprint", () => { const kept = shown; shown = Infinity; show(); shown = kept; });
  addEventListener("afterprint", show);
  show();
})();
