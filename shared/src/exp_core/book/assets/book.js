"use strict";
// Search and filters, sorting, copying.  Without it every word of the Book is there all the same.
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  // Search: every word must occur; "/" begins, Enter opens the first that is found, Escape clears.
  const find = document.querySelector("search.find");
  if (find) {
    const query = find.querySelector("#query");
    const count = find.querySelector("#count");
    const nothing = document.querySelector("#nothing");
    const cards = all(".card");
    const choice = () => find.querySelector("input[name=show]:checked").value;
    const apply = () => {
      const words = query.value.toLowerCase().replaceAll("_", " ").split(/\s+/).filter(Boolean);
      const show = choice();
      let found = 0;
      for (const card of cards) {
        const marks = card.dataset.show.split(" ");
        const fits = (show === "all" || marks.includes(show)) && words.every((word) => card.dataset.words.includes(word));
        card.hidden = !fits;
        found += fits;
      }
      for (const part of all(".part")) part.hidden = !part.querySelector(".card:not([hidden])");
      nothing.hidden = found > 0;
      count.textContent = words.length || show !== "all" ? `${found} of ${cards.length} experiments` : "";
    };
    query.addEventListener("input", apply);
    find.addEventListener("change", apply);
    query.addEventListener("keydown", (event) => {
      if (event.key === "Enter") document.querySelector(".card:not([hidden]) a")?.click();
      if (event.key === "Escape") { query.value = ""; apply(); }
    });
    document.addEventListener("keydown", (event) => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.target.closest("input, textarea, [contenteditable]")) return;
      event.preventDefault();
      query.focus();
    });
    find.hidden = false;
    apply(); // a browser that goes back fills the field again
  }

  // Sorting: a heading becomes a button; what has no value comes last, whatever the direction.
  const place = (cell) => {
    const value = cell?.dataset.value;
    if (value === undefined) return null;
    const number = Number(value);
    return value !== "" && !Number.isNaN(number) ? number : value;
  };
  const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b)));
  const sort = (heading, direction) => {
    const table = heading.closest("table");
    const column = heading.cellIndex;
    for (const other of all("th[aria-sort]", table)) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", direction);
    const sign = direction === "ascending" ? 1 : -1;
    const rows = [...table.tBodies[0].rows].map((row) => [place(row.cells[column]), row]);
    const known = rows.filter(([value]) => value !== null).sort(([a], [b]) => sign * compare(a, b));
    const unknown = rows.filter(([value]) => value === null);
    table.tBodies[0].append(...[...known, ...unknown].map(([, row]) => row));
  };
  for (const heading of all("th[data-sort]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      sort(heading, heading.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending");
    });
  }

  // Copying: from the file system the clipboard may be closed; then the command is selected.
  for (const button of all("button.copy")) {
    button.hidden = false;
    const code = button.previousElementSibling;
    button.setAttribute("aria-label", `copy ${code.textContent}`);
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = "copied";
      } catch {
        getSelection().selectAllChildren(code);
        button.textContent = "selected";
      }
      setTimeout(() => { button.textContent = "copy"; }, 2000);
    });
  }

  // On paper everything is unfolded.
  addEventListener("beforeprint", () => all("details:not([open])").forEach((part) => { part.open = true; part.dataset.folded = ""; }));
  addEventListener("afterprint", () => all("details[data-folded]").forEach((part) => { part.open = false; delete part.dataset.folded; }));

  // The part that is being read is marked in the list of parts.
  const places = new Map(all(".toc a").map((link) => [document.getElementById(link.hash.slice(1)), link]));
  const here = () => {
    const above = [...places.keys()].filter((heading) => heading && heading.getBoundingClientRect().top < innerHeight / 3);
    for (const [heading, link] of places) {
      if (heading === above.at(-1)) link.setAttribute("aria-current", "location");
      else link.removeAttribute("aria-current");
    }
  };
  if (places.size) addEventListener("scroll", here, { passive: true });

  // A link to a part that is folded away unfolds it.
  const unfold = () => document.getElementById(location.hash.slice(1))?.closest("details")?.setAttribute("open", "");
  addEventListener("hashchange", unfold);
  unfold();
})();
